# cmake -Dsource=<the tree> -Dversion=<of the project> -Dwork=<folder> -P Ports.cmake
# The recipes of cmake/ports name the version of the project, and vcpkg's port finds and installs what it says: vcpkg's own functions
# are played here by the few lines below.

cmake_minimum_required(VERSION 3.23...3.31)

# ---- the versions ----------------------------------------------------------------------------------------------------------

set(ports "${source}/cmake/ports")
foreach(manifest IN ITEMS vcpkg/strait vcpkg/upstream/strait)
  file(READ "${ports}/${manifest}/vcpkg.json" text)
  string(JSON named GET "${text}" version)
  string(JSON name GET "${text}" name)
  if(NOT named STREQUAL version OR NOT name STREQUAL "strait")
    message(FATAL_ERROR "${manifest}/vcpkg.json is of ${name} ${named}, the project of strait ${version}")
  endif()
endforeach()
string(REGEX MATCH "^[0-9]+[.][0-9]+" short "${version}")
foreach(place IN ITEMS
    "cmake/ports/conan/upstream/strait/config.yml|\"${version}\":"
    "cmake/ports/conan/upstream/strait/all/conandata.yml|/tags/v${version}.tar.gz"
    "README.md|find_package(strait ${short} REQUIRED)")
  string(REPLACE "|" ";" place "${place}")
  list(GET place 0 file)
  list(GET place 1 wanted)
  file(READ "${source}/${file}" text)
  string(FIND "${text}" "${wanted}" found)
  if(found EQUAL -1)
    message(FATAL_ERROR "${file} does not say `${wanted}`")
  endif()
endforeach()
# As the Conan recipe finds it.
file(READ "${source}/CMakeLists.txt" text)
if(NOT text MATCHES "\n *VERSION ${version}\n")
  message(FATAL_ERROR "CMakeLists.txt has no line that is only `VERSION ${version}`")
endif()

# ---- vcpkg's port ----------------------------------------------------------------------------------------------------------

function(run)
  execute_process(COMMAND ${ARGN} OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
endfunction()

function(vcpkg_cmake_configure)
  cmake_parse_arguments(arg "" "SOURCE_PATH" "OPTIONS" ${ARGN})
  run("${CMAKE_COMMAND}" -S "${arg_SOURCE_PATH}" -B "${work}/build" "-DCMAKE_INSTALL_PREFIX=${CURRENT_PACKAGES_DIR}" ${arg_OPTIONS})
endfunction()
function(vcpkg_cmake_install)
  run("${CMAKE_COMMAND}" --build "${work}/build")
  run("${CMAKE_COMMAND}" --install "${work}/build")
endfunction()
function(vcpkg_cmake_config_fixup)
  cmake_parse_arguments(arg "" "CONFIG_PATH" "" ${ARGN})
  file(RENAME "${CURRENT_PACKAGES_DIR}/${arg_CONFIG_PATH}" "${CURRENT_PACKAGES_DIR}/share/${PORT}")
endfunction()
function(vcpkg_fixup_pkgconfig)
endfunction()
function(vcpkg_install_copyright)
  cmake_parse_arguments(arg "" "FILE_LIST" "" ${ARGN})
  file(COPY_FILE "${arg_FILE_LIST}" "${CURRENT_PACKAGES_DIR}/share/${PORT}/copyright")
endfunction()
function(vcpkg_from_github)
  cmake_parse_arguments(arg "" "OUT_SOURCE_PATH;REPO;REF;SHA512;HEAD_REF" "" ${ARGN})
  if(NOT arg_REF STREQUAL "v${version}")
    message(FATAL_ERROR "the port asks for ${arg_REF}")
  endif()
  set(${arg_OUT_SOURCE_PATH} "${source}" PARENT_SCOPE)
endfunction()

set(PORT strait)
set(VERSION "${version}")
foreach(port IN ITEMS vcpkg/strait vcpkg/upstream/strait)
  file(REMOVE_RECURSE "${work}")
  set(CURRENT_PACKAGES_DIR "${work}/package")
  include("${ports}/${port}/portfile.cmake")
  foreach(file IN ITEMS include/strait/strait.hpp share/strait/straitConfig.cmake share/strait/straitConfigVersion.cmake
      share/strait/copyright share/strait/usage share/pkgconfig/strait.pc)
    if(NOT EXISTS "${CURRENT_PACKAGES_DIR}/${file}")
      message(FATAL_ERROR "${port}: ${file} is not in the package")
    endif()
  endforeach()
  file(GLOB folders RELATIVE "${CURRENT_PACKAGES_DIR}" "${CURRENT_PACKAGES_DIR}/*" "${CURRENT_PACKAGES_DIR}/share/*")
  if(NOT folders STREQUAL "include;share;share/cmake;share/pkgconfig;share/strait" AND NOT folders STREQUAL "include;share;share/pkgconfig;share/strait")
    message(FATAL_ERROR "${port}: there is more in the package than headers and what finds them: ${folders}")
  endif()
  message(STATUS "${port}: installed")
endforeach()
