# Headers, a package for find_package(strait), and one for pkg-config. Nothing here depends on the processor, so it lies in share/.

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

# pkg-config: for compilers that find Boost's headers by themselves.
set(strait_pc_folder "${CMAKE_INSTALL_DATADIR}/pkgconfig")
cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX BASE_DIRECTORY "${CMAKE_INSTALL_FULL_DATADIR}/pkgconfig" OUTPUT_VARIABLE strait_prefix_from_pc)
set(strait_pc_includedir "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
if(IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
  set(strait_pc_includedir "${CMAKE_INSTALL_INCLUDEDIR}")
endif()
set(strait_pc_definitions "")
if(STRAIT_PORTABLE)
  set(strait_pc_definitions " -DSTRAIT_PORTABLE")
endif()
set(strait_pc_libraries "")
if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
  set(strait_pc_libraries " -lrt")
endif()
configure_file("${CMAKE_CURRENT_SOURCE_DIR}/cmake/strait.pc.in" "${CMAKE_CURRENT_BINARY_DIR}/strait.pc" @ONLY)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/strait.pc" DESTINATION "${strait_pc_folder}")
