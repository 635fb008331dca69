# Where the dependencies come from: an installed package first; where there is none, the project's own releases on GitHub.
# Boost is needed by the library, the others only by its tests and benchmarks.

include(FetchContent)

# A cross compiler does not see the host's headers, and must not see all of them: those that are the same for every machine are
# linked into a folder of the build tree.
set(strait_shared_headers "${CMAKE_CURRENT_BINARY_DIR}/shared-headers")
macro(strait_share_header folder)
  if(CMAKE_FIND_ROOT_PATH AND EXISTS "/usr/include/${folder}")
    file(MAKE_DIRECTORY "${strait_shared_headers}")
    file(CREATE_LINK "/usr/include/${folder}" "${strait_shared_headers}/${folder}" SYMBOLIC)
  endif()
endmacro()

# Boost.Interprocess is used as headers only; the target is Boost::headers whatever the source.
macro(strait_find_boost)
  strait_share_header(boost)
  if(EXISTS "${strait_shared_headers}/boost")
    add_library(Boost::headers INTERFACE IMPORTED GLOBAL)
    set_target_properties(Boost::headers PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${strait_shared_headers}")
  else()
    strait_find_boost_package()
  endif()
endmacro()

macro(strait_find_boost_package)
  # Boost's own package first: from CMake 3.30 on it is the only one.
  find_package(Boost 1.74 CONFIG QUIET)
  if(NOT TARGET Boost::headers AND CMAKE_VERSION VERSION_LESS 3.30)
    find_package(Boost 1.74 MODULE QUIET)
  endif()
  if(NOT TARGET Boost::headers)
    strait_fetch_boost()
  endif()
endmacro()

# An imported target over the fetched tree, so that compilers treat the headers as SYSTEM, nothing of Boost is built, and
# strait's install rules can name it.
function(strait_fetch_boost)
  message(STATUS "Boost >= 1.74 is not installed; fetching it")
  FetchContent_Declare(strait_boost
    URL https://github.com/boostorg/boost/releases/download/boost-1.84.0/boost-1.84.0.tar.xz
    URL_HASH SHA256=2e64e5d79a738d0fa6fb546c6e5c2bd28f88d268a2a080546f74e5ff98f29d0e
    SOURCE_SUBDIR headers-only)  # no such folder: populate, add nothing to the build
  FetchContent_MakeAvailable(strait_boost)
  file(GLOB folders "${strait_boost_SOURCE_DIR}/libs/*/include" "${strait_boost_SOURCE_DIR}/libs/*/*/include")
  if(NOT folders)
    message(FATAL_ERROR "no Boost headers in ${strait_boost_SOURCE_DIR}")
  endif()
  add_library(Boost::headers INTERFACE IMPORTED GLOBAL)
  set_target_properties(Boost::headers PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${folders}")
endfunction()

# Catch2::Catch2 and catch_discover_tests(), from version 3 or 2. A macro, because the module path must reach the caller.
macro(strait_find_catch2)
  # Version 2 is one header: another machine's programs can use the host's.
  strait_share_header(catch2)
  if(EXISTS "${strait_shared_headers}/catch2/catch.hpp")
    add_library(Catch2::Catch2 INTERFACE IMPORTED GLOBAL)
    set_target_properties(Catch2::Catch2 PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${strait_shared_headers}")
  else()
    strait_find_catch2_package()
  endif()
endmacro()

macro(strait_find_catch2_package)
  find_package(Catch2 3 QUIET)
  if(NOT TARGET Catch2::Catch2)
    find_package(Catch2 2.13 QUIET)
  endif()
  if(NOT TARGET Catch2::Catch2)
    message(STATUS "Catch2 is not installed; fetching it")
    FetchContent_Declare(Catch2
      GIT_REPOSITORY https://github.com/catchorg/Catch2.git
      GIT_TAG v3.5.4
      GIT_SHALLOW ON)
    FetchContent_MakeAvailable(Catch2)
    list(APPEND CMAKE_MODULE_PATH "${catch2_SOURCE_DIR}/extras")
  endif()
  include(Catch)
endmacro()

# benchmark::benchmark
macro(strait_find_benchmark)
  find_package(benchmark QUIET)
  if(NOT TARGET benchmark::benchmark)
    message(STATUS "Google Benchmark is not installed; fetching it")
    set(BENCHMARK_ENABLE_TESTING OFF)
    set(BENCHMARK_ENABLE_GTEST_TESTS OFF)
    set(BENCHMARK_ENABLE_INSTALL OFF)
    FetchContent_Declare(benchmark
      GIT_REPOSITORY https://github.com/google/benchmark.git
      GIT_TAG v1.8.3
      GIT_SHALLOW ON)
    FetchContent_MakeAvailable(benchmark)
  endif()
endmacro()

# Relacy explores weak memory orders. Optional: without it those tests are left out, and the configuration says so.
macro(strait_find_relacy)
  find_path(STRAIT_RELACY_INCLUDE_DIR relacy/relacy.hpp)
  mark_as_advanced(STRAIT_RELACY_INCLUDE_DIR)
  if(STRAIT_RELACY_INCLUDE_DIR AND NOT TARGET strait-relacy)
    add_library(strait-relacy INTERFACE)
    target_include_directories(strait-relacy SYSTEM INTERFACE "${STRAIT_RELACY_INCLUDE_DIR}")
  endif()
endmacro()
