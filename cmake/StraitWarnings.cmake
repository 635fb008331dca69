# The warnings under which Strait's headers are clean, for the programs of this tree. Users of the library choose their own.

function(strait_warnings target)
  if(MSVC)
    target_compile_options(${target} PRIVATE /W4 $<$<BOOL:${STRAIT_WARNINGS_AS_ERRORS}>:/WX>)
  else()
    target_compile_options(${target} PRIVATE
      -Wall -Wextra -Wpedantic -Wconversion -Wshadow
      $<$<BOOL:${STRAIT_WARNINGS_AS_ERRORS}>:-Werror>)
  endif()
endfunction()
