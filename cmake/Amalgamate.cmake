# cmake -Dsource=<the tree> -Doutput=<file> -P Amalgamate.cmake
# Writes all of Strait into one header, for those who would rather copy a file than a folder. Made for releases, never committed.
#
# Every header comes after those that it includes. That is enough, because each can be compiled alone, also those of other systems:
# they are empty there.

cmake_minimum_required(VERSION 3.23...3.31)

file(STRINGS "${source}/CMakeLists.txt" version REGEX "^ *VERSION [0-9]+[.][0-9]+[.][0-9]+$" LIMIT_COUNT 1)
string(REGEX REPLACE " *VERSION " "" version "${version}")
if(version STREQUAL "")
  message(FATAL_ERROR "${source}/CMakeLists.txt names no version")
endif()

set_property(GLOBAL PROPERTY parts 0)

function(emit header)
  get_property(is_there GLOBAL PROPERTY "part ${header}")
  if(is_there)
    return()
  endif()
  set_property(GLOBAL PROPERTY "part ${header}" TRUE)
  file(READ "${source}/include/strait/${header}" text)
  string(REGEX MATCHALL "#include <strait/[^>]+>" included "${text}")
  foreach(line IN LISTS included)
    string(REGEX REPLACE "#include <strait/(.*)>" "\\1" inner "${line}")
    emit("${inner}")
  endforeach()
  string(REPLACE "#pragma once\n" "" text "${text}")
  string(REGEX REPLACE "#include <strait/[^>]+>[^\n]*\n" "" text "${text}")
  file(APPEND "${output}" "\n// ==== strait/${header}\n\n${text}")
  get_property(parts GLOBAL PROPERTY parts)
  math(EXPR parts "${parts} + 1")
  set_property(GLOBAL PROPERTY parts ${parts})
endfunction()

file(READ "${source}/LICENSE" license)
string(REGEX REPLACE "\n+$" "" license "${license}")
string(REPLACE "\n" "\n// " license "${license}")
string(REPLACE "// \n" "//\n" license "${license}")
file(WRITE "${output}" "#pragma once\n// Strait ${version} in one header: #include <strait.hpp>. Made by cmake/Amalgamate.cmake; change the headers instead.\n//\n// ${license}\n")

file(GLOB headers RELATIVE "${source}/include/strait" "${source}/include/strait/*.hpp" "${source}/include/strait/dotnet/*.hpp")
foreach(header IN LISTS headers)
  emit("${header}")
endforeach()

file(STRINGS "${output}" left REGEX "^ *#include <strait/")
if(left)
  message(FATAL_ERROR "these includes are left: ${left}")
endif()
get_property(parts GLOBAL PROPERTY parts)
file(SIZE "${output}" size)
message(STATUS "${output}: ${parts} headers, ${size} bytes, version ${version}")
