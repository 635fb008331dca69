# What the script behind the compile_fail tests must notice.

cmake_minimum_required(VERSION 3.23...3.31)

function(source text)
  file(WRITE "${work}/source.cpp" "${text}\n")
endfunction()

function(run result_variable said_variable)
  execute_process(
    COMMAND "${CMAKE_COMMAND}" "-Dcompiler=${compiler}" "-Dsource=${work}/source.cpp" -P "${scripts}/CompileFail.cmake"
    RESULT_VARIABLE result OUTPUT_VARIABLE said ERROR_VARIABLE said)
  set(${result_variable} "${result}" PARENT_SCOPE)
  string(REGEX REPLACE "[ \n]+" " " said "${said}")
  set(${said_variable} "${said}" PARENT_SCOPE)
endfunction()

function(expect_problem title wanted)
  run(result said)
  if(result STREQUAL "0" OR NOT said MATCHES "${wanted}")
    message(FATAL_ERROR "${title}: wanted `${wanted}`, got ${result}:\n${said}")
  endif()
endfunction()

source("// expect: a good reason\nstatic_assert(sizeof(int) == 1, \"a good reason\");")
run(result said)
if(NOT result STREQUAL "0")
  message(FATAL_ERROR "a file that fails as it says is refused:\n${said}")
endif()

source("// expect: a good reason\nstatic_assert(sizeof(int) > 1, \"a good reason\");")
expect_problem("a file that compiles" "compiles, and must not")

source("// expect: a good reason\nstatic_assert(sizeof(int) == 1, \"another\");")
expect_problem("a file that fails for another reason" "nothing matches `a good reason`")

source("static_assert(sizeof(int) == 1);")
expect_problem("a file that does not say what it expects" "has no `// expect: ` line")
