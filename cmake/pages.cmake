# The stylesheets and scripts of src/view/page, which parts.c takes in as they are.
file(GLOB page_parts CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/view/page/*.css
  ${CMAKE_SOURCE_DIR}/src/view/page/*.js)
set_source_files_properties(src/view/page/parts.c PROPERTIES OBJECT_DEPENDS "${page_parts}"
  COMPILE_DEFINITIONS "NT_PAGE_FOLDER=\"${CMAKE_SOURCE_DIR}/src/view/page\"")
