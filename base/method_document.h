// What there is to read about one method. Made by compiler/sema/manual.h from its file, handed on by the api.
#pragma once

#include <string>
#include <vector>

namespace roux {

struct DocumentedParameter {
  std::string name;
  std::string type;           // empty where none is written
  std::string default_value;  // as it is written; empty: required
  std::vector<std::string> choices;  // that may be given as bare words
  std::string documentation;
};

struct MethodDocument {
  std::string name;
  std::string signature;  // on several lines where it is long
  std::string documentation;  // lines of text, without what stands in the fields below
  std::vector<DocumentedParameter> parameters;
  std::string result;  // its type, or empty
  std::vector<std::string> references;
  std::vector<std::string> examples;
  std::string file;   // "stdlib/ties.merge"
  std::string group;  // "Numbers out of tensors"
};

}  // namespace roux
