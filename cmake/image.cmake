# GPT-2's vocabulary as constants: tools/mkimage, built and run by the build, reads models/gpt2 and
# writes the file that src/text/files/image.c takes in. Cross-compiled, mkimage runs under
# CMAKE_CROSSCOMPILING_EMULATOR. Included where the part "text" collects its `sources`.
set(text ${CMAKE_SOURCE_DIR}/src/text)
add_executable(mkimage tools/mkimage/mkimage.c
  ${text}/files/json_pull.c ${text}/files/merges.c ${text}/files/vocabulary.c
  ${text}/subword/bpe_tables.c ${text}/vocab/byte_level.c ${text}/vocab/hash.c ${text}/vocab/lexicon.c ${text}/vocab/merges.c
  $<TARGET_OBJECTS:nt_base>)
set_target_properties(mkimage PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tools)
target_link_libraries(mkimage PRIVATE nt_flags nt_libraries_headers Threads::Threads m
  ${NEXTOKEN_LIBRARIES_SHARED})

set(vocabulary ${CMAKE_SOURCE_DIR}/models/gpt2)
set(image ${CMAKE_BINARY_DIR}/gpt2.image)
add_custom_command(OUTPUT ${image}
  COMMAND mkimage ${vocabulary} ${image}
  DEPENDS mkimage ${vocabulary}/vocab.json ${vocabulary}/merges.txt
  COMMENT "Writing the image of GPT-2's vocabulary" VERBATIM)
set_source_files_properties(${image} PROPERTIES GENERATED TRUE HEADER_FILE_ONLY TRUE)
set_source_files_properties(${text}/files/image.c PROPERTIES
  OBJECT_DEPENDS ${image} COMPILE_DEFINITIONS "NT_GPT2_IMAGE=\"${image}\"")
list(APPEND sources ${image}) # so that makefiles know how it is made
