# Headers, and a package for find_package(strait). Nothing here depends on the processor, so it lies in share/.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(strait_package_folder "${CMAKE_INSTALL_DATADIR}/cmake/strait")

install(TARGETS strait EXPORT straitTargets FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(EXPORT straitTargets NAMESPACE strait:: DESTINATION "${strait_package_folder}")

configure_package_config_file(
  "${CMAKE_CURRENT_SOURCE_DIR}/cmake/straitConfig.cmake.in" "${CMAKE_CURRENT_BINARY_DIR}/straitConfig.cmake"
  INSTALL_DESTINATION "${strait_package_folder}"
  NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file("${CMAKE_CURRENT_BINARY_DIR}/straitConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion  # below 1.0 a minor version may break
  ARCH_INDEPENDENT)
install(FILES
  "${CMAKE_CURRENT_BINARY_DIR}/straitConfig.cmake"
  "${CMAKE_CURRENT_BINARY_DIR}/straitConfigVersion.cmake"
  DESTINATION "${strait_package_folder}")
install(FILES "${CMAKE_CURRENT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/strait")
