# Libraries from Debian's packages (scripts/setup installs them): jansson reads JSON, utf8proc tells
# widths and normal forms, PCRE2 searches for patterns that have no scanner of ours, zlib deflates
# .npz. The shared library links them as shared libraries, the program from their static archives.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)

set(NEXTOKEN_REQUIRES jansson libutf8proc libpcre2-8 zlib)
pkg_check_modules(NT_DEPS REQUIRED ${NEXTOKEN_REQUIRES})
set(NEXTOKEN_LIBRARIES_SHARED ${NT_DEPS_LINK_LIBRARIES})

set(NEXTOKEN_LIBRARIES_STATIC)
foreach(name jansson utf8proc pcre2-8 z)
  find_library(NT_ARCHIVE_${name} NAMES lib${name}.a HINTS ${NT_DEPS_LIBRARY_DIRS} REQUIRED)
  list(APPEND NEXTOKEN_LIBRARIES_STATIC ${NT_ARCHIVE_${name}})
endforeach()

# libcurl is opened when something is downloaded; a build needs its headers alone.
find_path(NT_CURL_HEADERS curl/curl.h REQUIRED)

add_library(nt_libraries_headers INTERFACE)
target_include_directories(nt_libraries_headers SYSTEM INTERFACE ${NT_DEPS_INCLUDE_DIRS}
  ${NT_CURL_HEADERS})
# utf8proc.h marks its symbols for a shared library unless told otherwise; both linkages work so.
target_compile_definitions(nt_libraries_headers INTERFACE UTF8PROC_STATIC)
