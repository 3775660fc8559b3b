# nextoken is installed as a program, a header, two libraries, a pkg-config file and a CMake package.
include(CMakePackageConfigHelpers)

install(TARGETS nextoken RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS nextoken_static nextoken_shared EXPORT nextokenTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES include/nextoken.h include/nextoken_text.h include/nextoken_generate.h
  include/nextoken_hub.h include/nextoken_tensors.h
  include/nextoken_result.h include/nextoken_versus.h include/nextoken_bench.h
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})

string(REPLACE ";" ", " NT_PC_REQUIRES "${NEXTOKEN_REQUIRES}")
configure_file(cmake/nextoken.pc.in nextoken.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/nextoken.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/nextoken)
configure_package_config_file(cmake/nextokenConfig.cmake.in nextokenConfig.cmake
  INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(nextokenConfigVersion.cmake COMPATIBILITY SameMajorVersion)
install(EXPORT nextokenTargets NAMESPACE nextoken:: DESTINATION ${package_dir})
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/nextokenConfig.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/nextokenConfigVersion.cmake DESTINATION ${package_dir})
