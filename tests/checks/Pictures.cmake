# cmake -Dsource=<the tree> -Dcompiler=<c++> -Dwork=<folder> -P Pictures.cmake
# The pictures of the documents are those that the layout headers give.

cmake_minimum_required(VERSION 3.23...3.31)

file(REMOVE_RECURSE "${work}")
file(MAKE_DIRECTORY "${work}")
execute_process(COMMAND "${compiler}" -std=c++20 "-I${source}/include" "${source}/.github/docs/draw.cpp" -o "${work}/draw" COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND "${work}/draw" "${work}" COMMAND_ERROR_IS_FATAL ANY)
file(GLOB drawn RELATIVE "${work}" "${work}/*.svg")
file(GLOB printed RELATIVE "${source}/.github/docs" "${source}/.github/docs/*.svg")
if(NOT drawn STREQUAL printed OR NOT drawn)
  message(FATAL_ERROR "drawn: ${drawn}; in .github/docs: ${printed}")
endif()
foreach(picture IN LISTS drawn)
  file(READ "${work}/${picture}" now)
  file(READ "${source}/.github/docs/${picture}" then)
  if(NOT now STREQUAL then)
    message(FATAL_ERROR "${picture} is not what the headers say any more: build the target `draw` and look at it")
  endif()
endforeach()
message(STATUS "${drawn}")
