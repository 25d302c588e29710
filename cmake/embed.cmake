# embed_files(OUTPUT HEADER TYPE FUNCTION FILES...): a C++ file that defines FUNCTION(), declared in HEADER, which
# returns the given files as a vector of TYPE{name, text}.
# Its callers are the places where files are globbed: a method is one file in stdlib/, the page of a diagnostic one
# in docs/diagnostics/, nothing else.
function(embed_files output header type function)
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -DOUTPUT=${output} -DHEADER=${header} -DTYPE=${type} -DFUNCTION=${function}
            "-DFILES=${ARGN}" -P ${PROJECT_SOURCE_DIR}/cmake/embed_files.cmake
    DEPENDS ${ARGN} ${PROJECT_SOURCE_DIR}/cmake/embed_files.cmake
    VERBATIM)
endfunction()
