# cmake -Dcompiler=<c++> -Dincludes=<folders> -Dsource=<file> -P CompileFail.cmake
# The file must not compile, and what the compiler says must match every `// expect: <regular expression>` line in it.

cmake_minimum_required(VERSION 3.23...3.31)

set(command "${compiler}" -std=c++20)
foreach(folder IN LISTS includes)
  list(APPEND command -isystem "${folder}")
endforeach()
# Compiled, not only checked for syntax: templates are instantiated late. Where the object goes does not matter.
execute_process(COMMAND ${command} -c "${source}" -o /dev/null
  RESULT_VARIABLE result OUTPUT_VARIABLE said ERROR_VARIABLE said)

if(result STREQUAL "0")
  message(FATAL_ERROR "${source} compiles, and must not")
endif()

file(STRINGS "${source}" expectations REGEX "^[ \t]*// expect: ")
if(NOT expectations)
  message(FATAL_ERROR "${source} has no `// expect: ` line")
endif()
foreach(expectation IN LISTS expectations)
  string(REGEX REPLACE "^[ \t]*// expect: " "" expectation "${expectation}")
  if(NOT said MATCHES "${expectation}")
    message(FATAL_ERROR "${source} does not compile, but nothing matches `${expectation}`:\n${said}")
  endif()
endforeach()
