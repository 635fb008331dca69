# STRAIT_SANITIZE instruments everything in the build, fetched dependencies too: a sanitizer that sees only half of a program
# reports things that are not there.

if(STRAIT_SANITIZE)
  if(NOT PROJECT_IS_TOP_LEVEL)
    message(FATAL_ERROR "STRAIT_SANITIZE is for builds of Strait itself; instrument a larger build with its own flags")
  endif()
  add_compile_options(-fsanitize=${STRAIT_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${STRAIT_SANITIZE})
  if(STRAIT_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # It says that the thread sanitizer does not follow fences. The only one, in platform/, orders words that are atomic anyway.
    add_compile_options(-Wno-tsan)
  endif()
endif()
