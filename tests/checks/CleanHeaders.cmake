# cmake -Dcompiler=<c++> -Dinclude=<folder that holds strait/> -Dboost=<folders> -Dwork=<folder> -P CleanHeaders.cmake
# Every public header, included twice, in two orders, in two files that become one program: no warning, and nothing that is there twice.
# Strait's folder is an ordinary one here (-I), so that its warnings count. Words that <windows.h> makes macros of, which may come first,
# are nowhere in the headers. (Nor are min and max, but for them in parentheses: tests/api/include_*_windows.cpp.)

cmake_minimum_required(VERSION 3.23...3.31)

file(GLOB headers RELATIVE "${include}" "${include}/strait/*.hpp" "${include}/strait/dotnet/*.hpp")
if(NOT headers)
  message(FATAL_ERROR "no public headers in ${include}/strait")
endif()
set(backwards ${headers})
list(REVERSE backwards)

function(source name last)
  set(text "")
  foreach(header IN LISTS ARGN ARGN)
    string(APPEND text "#include <${header}>\n")
  endforeach()
  file(WRITE "${work}/${name}.cpp" "${text}${last}\n")
endfunction()

source(forwards "int main() {}" ${headers})
source(backwards "" ${backwards})
set(flags -std=c++20 -pthread -Wall -Wextra -Wconversion -Wshadow -Wold-style-cast -Werror "-I${include}")
foreach(word IN ITEMS near far small interface hyper pascal cdecl IN OUT OPTIONAL ERROR DELETE CONST VOID)
  list(APPEND flags "-D${word}=a macro of windows.h")
endforeach()
foreach(folder IN LISTS boost)
  list(APPEND flags -isystem "${folder}")
endforeach()
execute_process(COMMAND "${compiler}" ${flags} "${work}/forwards.cpp" "${work}/backwards.cpp" -o "${work}/program"
  RESULT_VARIABLE result OUTPUT_VARIABLE said ERROR_VARIABLE said)
if(NOT result STREQUAL "0" OR NOT said STREQUAL "")
  message(FATAL_ERROR "${compiler} ended with ${result}:\n${said}")
endif()
list(LENGTH headers count)
message(STATUS "${count} public headers, twice in two files: ${compiler} says nothing")
