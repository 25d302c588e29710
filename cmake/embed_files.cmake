# Run with -P: writes OUTPUT from FILES (see embed.cmake).
set(rows "")
foreach(file IN LISTS FILES)
  get_filename_component(name ${file} NAME)
  file(READ ${file} text)
  string(APPEND rows "    {\"${name}\", R\"ROUX~~(${text})ROUX~~\"},\n")
endforeach()
file(WRITE ${OUTPUT} "#include \"${HEADER}\"

namespace roux {

std::vector<${TYPE}> ${FUNCTION}() {
  return {
${rows}  };
}

}  // namespace roux
")
