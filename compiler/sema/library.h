// The standard library: the files of stdlib/, embedded as text. A file is parsed when one of its methods is
// first used, so that start-up does not pay for methods that nobody calls; which file holds which method
// is told by a scan for `method NAME(` at the beginning of a line. A method whose body is the bare word
// `primitive` is implemented in C++ under its own name (interpret/primitives.h).
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "compiler/syntax/ast.h"

namespace roux {

struct LibraryFile {
  std::string_view name;  // "ties.merge"
  std::string_view text;
};

// Generated from stdlib/ at build time.
std::vector<LibraryFile> embedded_library();

struct MethodRef {
  const ast::Module* module = nullptr;
  const ast::Method* method = nullptr;
};

class Library {
 public:
  Library(SourceMap& sources, std::vector<LibraryFile> files);

  // Null where there is no such method. Parsing a library file cannot fail but by a bug of ours.
  MethodRef find(std::string_view name);
  bool contains(std::string_view name) const { return file_of_.find(name) != file_of_.end(); }
  std::vector<std::string> names() const;
  bool owns(SourceId source) const;

 private:
  struct File {
    LibraryFile embedded;
    SourceId source = kNoSource;
    std::unique_ptr<ast::Module> module;
  };
  const ast::Module& load(File& file);

  SourceMap& sources_;
  std::vector<File> files_;
  std::map<std::string, std::size_t, std::less<>> file_of_;
};

// `ties(models: list[model], k: fraction = 0.2) -> model`, as written in its file.
std::string signature_text(const SourceMap& sources, const ast::Module& module, const ast::Method& method);
bool is_primitive(const ast::Module& module, const ast::Method& method);

}  // namespace roux
