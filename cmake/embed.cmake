# embed_library(OUTPUT FILES...): a C++ file that holds the given .merge files as text.
# The one place where sources are globbed is its caller: a method is one file in stdlib/, nothing else.
function(embed_library output)
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -DOUTPUT=${output} "-DFILES=${ARGN}"
            -P ${PROJECT_SOURCE_DIR}/cmake/embed_files.cmake
    DEPENDS ${ARGN} ${PROJECT_SOURCE_DIR}/cmake/embed_files.cmake
    VERBATIM)
endfunction()
