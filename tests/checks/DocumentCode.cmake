# cmake -Dsource=<the tree> -Ddocuments=<files> -Dcompiler=<c++> -Dboost=<folders> -Dwork=<folder> -P DocumentCode.cmake
# Builds every C++ block of the documents as it is printed there, and runs those that say so.
#
# A block with a main function is a program of its own. All others of a document are compiled together: each inside a function, unless
# a comment in the line above its fence says otherwise, with one or more of
#     <!-- code: first, declarations, needs <header>, run <function> | <function> -->
# first: what the document's other blocks begin with. declarations: outside of functions. needs: left out as long as include/strait has
# no such header. run: both functions get the same name, as two processes at a time; who is told `not_found` is started again.

cmake_minimum_required(VERSION 3.23...3.31)

set(flags -std=c++20 -pthread -O0 -Wall -Wextra -Wno-unused -Wunused-result -Werror "-I${source}/include")
foreach(folder IN LISTS boost)
  list(APPEND flags -isystem "${folder}")
endforeach()

function(compile from to)
  execute_process(COMMAND "${compiler}" ${flags} "${from}" -o "${to}" -lrt RESULT_VARIABLE result ERROR_VARIABLE said OUTPUT_VARIABLE said)
  if(NOT result STREQUAL "0")
    message(FATAL_ERROR "${from} does not compile:\n${said}")
  endif()
endfunction()

file(REMOVE_RECURSE "${work}")
file(MAKE_DIRECTORY "${work}")
set(hoisted "#include <strait/strait.hpp>\n#include <iostream>\n#include <string>\n#include <thread>\n")
set(parts "")
set(dispatch "")
set(pairs "")
set(programs 0)
set(blocks 0)
set(document_number 0)

foreach(document IN LISTS documents)
  math(EXPR document_number "${document_number} + 1")
  set(namespace "document_${document_number}")
  file(READ "${source}/${document}" rest)
  set(line 1)
  set(here "")
  while(TRUE)
    string(FIND "${rest}" "```cpp\n" start)
    if(start EQUAL -1)
      break()
    endif()
    string(SUBSTRING "${rest}" 0 ${start} before)
    math(EXPR start "${start} + 7")
    string(SUBSTRING "${rest}" ${start} -1 rest)
    string(FIND "${rest}" "\n```" end)
    if(end EQUAL -1)
      message(FATAL_ERROR "${document}: a C++ block does not end")
    endif()
    math(EXPR end "${end} + 1")
    string(SUBSTRING "${rest}" 0 ${end} block)
    string(SUBSTRING "${rest}" ${end} -1 rest)
    string(REGEX MATCHALL "\n" newlines "${before}")
    list(LENGTH newlines count)
    math(EXPR line "${line} + ${count} + 1")
    set(block_line ${line})
    string(REGEX MATCHALL "\n" newlines "${block}")
    list(LENGTH newlines count)
    math(EXPR line "${line} + ${count}")
    math(EXPR blocks "${blocks} + 1")

    set(say "")
    if(before MATCHES "<!-- code: ([^\n]*) -->\n$")
      set(say "${CMAKE_MATCH_1}")
    endif()
    if(say MATCHES "needs ([a-z_/.]+)")
      set(needed "${CMAKE_MATCH_1}")
      if(NOT EXISTS "${source}/include/strait/${needed}")
        message(STATUS "${document}:${block_line}: left out until there is ${needed}")
        continue()
      endif()
    endif()

    if(block MATCHES "int main\\(")
      math(EXPR programs "${programs} + 1")
      file(WRITE "${work}/program_${programs}.cpp" "#line ${block_line} \"${document}\"\n${block}")
      compile("${work}/program_${programs}.cpp" "${work}/program_${programs}")
      message(STATUS "${document}:${block_line}: a program, compiled")
      continue()
    endif()

    string(REGEX MATCHALL "#include <[^>\n]+>" includes "${block}")
    foreach(include IN LISTS includes)
      string(APPEND hoisted "${include}\n")
    endforeach()
    string(REGEX REPLACE "#include <[^>\n]+>" "" block "${block}")
    set(block "#line ${block_line} \"${document}\"\n${block}")
    if(say MATCHES "^first|declarations")
      string(APPEND here "${block}")
    else()
      string(APPEND here "[[maybe_unused]] void block_${blocks}() {\n${block}}\n")
    endif()
    if(say MATCHES "run ([a-z_]+) [|] ([a-z_]+)")
      foreach(function IN ITEMS "${CMAKE_MATCH_1}" "${CMAKE_MATCH_2}")
        string(APPEND dispatch "  if (which == \"${namespace}/${function}\") return run(${namespace}::${function}, argv[2]);\n")
      endforeach()
      list(APPEND pairs "${namespace}/${CMAKE_MATCH_1}|${namespace}/${CMAKE_MATCH_2}")
    endif()
  endwhile()
  string(APPEND parts "\nnamespace ${namespace} {\n${here}}\n")
endforeach()

file(WRITE "${work}/blocks.cpp" "${hoisted}${parts}
#line 1 \"blocks.cpp\"
template <class Function>
int run(Function function, const std::string& name) {
  for (int attempt = 0; attempt < 1000; ++attempt) {
    try {
      function(name);
      return 0;
    } catch (const strait::Error& error) {
      if (error.code() != strait::Errc::not_found) throw;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
  std::cerr << name << \" was never there\\n\";
  return 1;
}

int main(int argc, char** argv) {
  const std::string which = argc > 2 ? argv[1] : \"\";
${dispatch}  return 2;
}
")
compile("${work}/blocks.cpp" "${work}/blocks")
message(STATUS "the other blocks are compiled")

# Both at a time: CMake starts the commands of a pipe together. The pipe stays empty: the first prints to the standard error.
set(first_of_pipe sh -c "exec \"$0\" \"$@\" >&2")
function(run_pair title)
  execute_process(${ARGN} TIMEOUT 100 RESULTS_VARIABLE results OUTPUT_VARIABLE printed ERROR_VARIABLE said)
  if(NOT results STREQUAL "0;0")
    message(FATAL_ERROR "${title}: ended with ${results}:\n${printed}\n${said}")
  endif()
  set(printed "${printed}" PARENT_SCOPE)
  message(STATUS "${title}: run")
endfunction()

string(RANDOM LENGTH 7 ALPHABET "0123456789abcdef" random)
foreach(pair IN LISTS pairs)
  string(REPLACE "|" ";" pair "${pair}")
  list(GET pair 0 first)
  list(GET pair 1 second)
  run_pair("${first} and ${second}"
    COMMAND ${first_of_pipe} "${work}/blocks" "${first}" "strait-document-${random}"
    COMMAND "${work}/blocks" "${second}" "strait-document-${random}")
endforeach()

# The README's program, once in each role. The name that is printed there may be in use on this machine: in the built program it becomes
# another one of the same length. The second role is started again until the first has made the ring.
if(EXISTS "${work}/program_1" AND NOT CMAKE_HOST_WIN32)
  execute_process(COMMAND sed "s/readings/r${random}/g" "${work}/program_1" OUTPUT_FILE "${work}/readings" COMMAND_ERROR_IS_FATAL ANY)
  file(CHMOD "${work}/readings" PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)
  list(GET documents 0 document)
  run_pair("the program of ${document}"
    COMMAND ${first_of_pipe} "${work}/readings" write
    COMMAND sh -c "exec 2>/dev/null\nuntil \"$0\"\ndo sleep 0.05\ndone" "${work}/readings")
  if(NOT printed MATCHES "^sensor 0: 20.5 C\nsensor 1: 21.5 C\n.*sensor 9: 29.5 C\n$")
    message(FATAL_ERROR "the program of the README printed:\n${printed}")
  endif()
endif()
message(STATUS "${blocks} blocks")
