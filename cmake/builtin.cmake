# The model that is built in: NEXTOKEN_TALES's files inside the program and the two libraries.
# nt_builtin is the object with them, nt_builtin_left_out the one without; whatever is linked takes
# one of the two. NEXTOKEN_BUILTIN is what the program and the libraries take.
option(NEXTOKEN_BUILTIN_MODEL "Carry the model of NEXTOKEN_TALES inside the program and the libraries" ON)
set(NEXTOKEN_TALES ${CMAKE_SOURCE_DIR}/models/tales CACHE PATH "The folder of the model that is built in")

add_library(nt_builtin_left_out OBJECT src/builtin/left_out.c)
target_link_libraries(nt_builtin_left_out PUBLIC nt_flags)
set(NEXTOKEN_BUILTIN $<TARGET_OBJECTS:nt_builtin_left_out>)
set(NEXTOKEN_CARRIES "") # the folder whose files are inside; empty: none's

if(NEXTOKEN_BUILTIN_MODEL)
  set(builtin_files ${NEXTOKEN_TALES}/config.json ${NEXTOKEN_TALES}/generation_config.json
    ${NEXTOKEN_TALES}/model.safetensors)
  file(GLOB found CONFIGURE_DEPENDS ${builtin_files})
  list(LENGTH found n_found)
  if(NOT n_found EQUAL 3)
    message(FATAL_ERROR "${NEXTOKEN_TALES} lacks config.json, generation_config.json or "
      "model.safetensors; give -DNEXTOKEN_BUILTIN_MODEL=OFF to build without a model")
  endif()
  set(NEXTOKEN_CARRIES ${NEXTOKEN_TALES})
  add_library(nt_builtin OBJECT src/builtin/carried.c)
  target_link_libraries(nt_builtin PUBLIC nt_flags)
  set_source_files_properties(src/builtin/carried.c PROPERTIES
    OBJECT_DEPENDS "${builtin_files}" COMPILE_DEFINITIONS "NT_BUILTIN_FOLDER=\"${NEXTOKEN_TALES}\"")
  set(NEXTOKEN_BUILTIN $<TARGET_OBJECTS:nt_builtin>)
endif()
