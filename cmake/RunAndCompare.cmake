# cmake -Dexpected=<file> -P RunAndCompare.cmake -- <program> [<argument>...]
# Runs the program; it must end with 0 and print exactly the text of the file.

cmake_minimum_required(VERSION 3.23...3.31)

set(command "")
set(after_dashes FALSE)
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(i RANGE ${last})
  if(after_dashes)
    list(APPEND command "${CMAKE_ARGV${i}}")
  elseif(CMAKE_ARGV${i} STREQUAL "--")
    set(after_dashes TRUE)
  endif()
endforeach()

execute_process(COMMAND ${command} OUTPUT_VARIABLE printed RESULT_VARIABLE result)
if(NOT result STREQUAL "0")
  message(FATAL_ERROR "ended with ${result} after printing:\n${printed}")
endif()
string(REPLACE "\r\n" "\n" printed "${printed}")  # lines end as they do on the system
file(READ "${expected}" wanted)
if(NOT printed STREQUAL wanted)
  message(FATAL_ERROR "printed:\n${printed}\nexpected:\n${wanted}")
endif()
