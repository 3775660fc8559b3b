# Libraries from Debian's packages (scripts/setup installs them): jansson reads JSON, utf8proc tells
# widths and normal forms, PCRE2 searches for patterns that have no scanner of ours, zlib deflates
# .npz. The shared library links them as shared libraries, the program from their static archives.
# libcurl is opened when something is downloaded; a build needs its headers alone.
find_package(Threads REQUIRED)
find_package(PkgConfig QUIET)

set(NEXTOKEN_REQUIRES jansson libutf8proc libpcre2-8 zlib)
set(missing)
if(PkgConfig_FOUND)
  foreach(name IN LISTS NEXTOKEN_REQUIRES)
    pkg_check_modules(NT_DEP_${name} QUIET ${name})
    if(NOT NT_DEP_${name}_FOUND)
      list(APPEND missing ${name})
    endif()
  endforeach()
else()
  list(APPEND missing pkg-config)
endif()
find_path(NT_CURL_HEADERS curl/curl.h)
if(NOT NT_CURL_HEADERS)
  list(APPEND missing libcurl)
endif()
if(missing)
  list(JOIN missing ", " missing)
  message(FATAL_ERROR " nextoken needs ${missing} with headers; on Debian and its kin run scripts/setup, "
    "or: apt install pkg-config libjansson-dev libutf8proc-dev libpcre2-dev zlib1g-dev libcurl4-openssl-dev")
endif()
pkg_check_modules(NT_DEPS QUIET REQUIRED ${NEXTOKEN_REQUIRES})
set(NEXTOKEN_LIBRARIES_SHARED ${NT_DEPS_LINK_LIBRARIES})

set(archive REQUIRED)
if(SKBUILD) # a wheel has no program in it
  set(archive)
endif()
set(NEXTOKEN_LIBRARIES_STATIC)
foreach(name jansson utf8proc pcre2-8 z)
  find_library(NT_ARCHIVE_${name} NAMES lib${name}.a HINTS ${NT_DEPS_LIBRARY_DIRS} ${archive})
  list(APPEND NEXTOKEN_LIBRARIES_STATIC ${NT_ARCHIVE_${name}})
endforeach()

add_library(nt_libraries_headers INTERFACE)
target_include_directories(nt_libraries_headers SYSTEM INTERFACE ${NT_DEPS_INCLUDE_DIRS}
  ${NT_CURL_HEADERS})
# utf8proc.h marks its symbols for a shared library unless told otherwise; both linkages work so.
target_compile_definitions(nt_libraries_headers INTERFACE UTF8PROC_STATIC)
