# For the tests of the checks: small trees of headers, and what a check must say about them.

# One header of the tree under test.
function(header path text)
  file(WRITE "${work}/strait/${path}" "#pragma once\n${text}\n")
endfunction()

function(clean_tree)
  file(REMOVE_RECURSE "${work}")
endfunction()

# Runs `check` over the tree: it must pass.
function(expect_pass check title)
  execute_process(COMMAND "${CMAKE_COMMAND}" "-Dinclude=${work}" -P "${scripts}/${check}.cmake"
    RESULT_VARIABLE result OUTPUT_VARIABLE said ERROR_VARIABLE said)
  if(NOT result STREQUAL "0")
    message(FATAL_ERROR "${title}: ${check} refuses it:\n${said}")
  endif()
  clean_tree()
endfunction()

# Runs `check` over the tree: it must fail and say something that matches `wanted`.
function(expect_problem check title wanted)
  execute_process(COMMAND "${CMAKE_COMMAND}" "-Dinclude=${work}" -P "${scripts}/${check}.cmake"
    RESULT_VARIABLE result OUTPUT_VARIABLE said ERROR_VARIABLE said)
  if(result STREQUAL "0")
    message(FATAL_ERROR "${title}: ${check} does not notice it")
  endif()
  string(REGEX REPLACE "[ \n]+" " " said "${said}")  # CMake wraps its messages
  if(NOT said MATCHES "${wanted}")
    message(FATAL_ERROR "${title}: ${check} fails, but nothing matches `${wanted}`:\n${said}")
  endif()
  clean_tree()
endfunction()
