# The target `docs`: pages of the public headers and of .github/docs, by Doxygen, in <build>/docs/html. Every warning is an error.
# The target `draw`: the pictures of .github/docs/layout.md anew, from the layout headers.

add_executable(strait-draw EXCLUDE_FROM_ALL "${CMAKE_CURRENT_SOURCE_DIR}/.github/docs/draw.cpp")
target_link_libraries(strait-draw PRIVATE strait::strait)
strait_warnings(strait-draw)
add_custom_target(draw COMMAND strait-draw "${CMAKE_CURRENT_SOURCE_DIR}/.github/docs" VERBATIM)

find_program(STRAIT_DOXYGEN doxygen)
mark_as_advanced(STRAIT_DOXYGEN)
if(NOT STRAIT_DOXYGEN)
  message(STATUS "Doxygen is not installed: there is no target `docs`")
  return()
endif()

set(strait_docs_folder "${CMAKE_CURRENT_BINARY_DIR}/docs")
set(strait_docs_input "")
file(GLOB strait_docs_files CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/include/strait/*.hpp" "${CMAKE_CURRENT_SOURCE_DIR}/include/strait/layout/*.hpp"
  "${CMAKE_CURRENT_SOURCE_DIR}/include/strait/dotnet/*.hpp" "${CMAKE_CURRENT_SOURCE_DIR}/.github/docs/*.md")
# What a public header of the same name only includes; and what two classes have in common.
foreach(header IN ITEMS core/error core/options core/shareable core/timeout rpc/options rpc/response rpc/statistics
    handle/bytes_by_position handle/elements rpc/endpoint_handle)
  list(APPEND strait_docs_files "${CMAKE_CURRENT_SOURCE_DIR}/include/strait/${header}.hpp")
endforeach()
list(APPEND strait_docs_files "${CMAKE_CURRENT_SOURCE_DIR}/.github/CONTRIBUTING.md")
foreach(file IN LISTS strait_docs_files)
  string(APPEND strait_docs_input " \\\n  \"${file}\"")
endforeach()
set(PROJECT_NAME_TITLE Strait)
configure_file("${CMAKE_CURRENT_SOURCE_DIR}/.github/docs/Doxyfile" "${strait_docs_folder}/Doxyfile" @ONLY)
add_custom_target(docs
  COMMAND "${CMAKE_COMMAND}" -E rm -rf "${strait_docs_folder}/html"
  COMMAND "${STRAIT_DOXYGEN}" "${strait_docs_folder}/Doxyfile"
  VERBATIM)
