#include "api/modules.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <vector>

#include "base/limits.h"
#include "base/text.h"
#include "compiler/sema/check.h"
#include "compiler/syntax/parse.h"

namespace roux {
namespace {

namespace fs = std::filesystem;

class Loader {
 public:
  // `recipe`: whose imports these are.
  Loader(SourceMap& sources, Library& library, const ReadImport& read, Imports& imports, const std::string& recipe)
      : sources_(sources), library_(library), read_(read), imports_(imports) {
    std::error_code failed;
    open_.push_back({fs::weakly_canonical(recipe, failed).string(), recipe});
  }

  void load_all(const ast::Module& module, const std::string& name) {
    for (const ast::Statement& statement : module.statements)
      if (auto* import = std::get_if<ast::Import>(&statement.node))
        if (const Imports::File file = load(*import, name)) imports_.add(*import, file);
  }

  Diagnostics take_findings() { return std::move(findings_); }

 private:
  struct Opened {
    std::string identity;
    std::string name;
  };

  Imports::File report(Diagnostic finding) {
    findings_.push_back(std::move(finding));
    return nullptr;
  }

  Imports::File load(const ast::Import& import, const std::string& importer) {
    const Span span = import.path_span;
    Result<ImportedText> read = read_(import.path, importer);
    if (!read) {
      if (read.error().empty())
        report(error(DiagnosticKind::io, span, "the import " + quoted(import.path) + " could not be read"));
      for (Diagnostic finding : read.error()) {
        finding.severity = Severity::error;
        if (!finding.span.valid()) finding.span = span;
        report(std::move(finding));
      }
      return nullptr;
    }
    const std::string identity = read->identity.empty() ? read->name : read->identity;
    const auto is_it = [&](const Opened& opened) {  // a recipe that is no file is known by its name alone
      return opened.identity == identity || (&opened == &open_.front() && opened.name == identity);
    };
    if (const auto at = std::find_if(open_.begin(), open_.end(), is_it); at != open_.end())
      return report(circle(span, {at, open_.end()}));
    if (const auto known = files_.find(identity); known != files_.end()) return known->second;
    if (files_.size() >= limits::kImportedFiles)
      return report(error(DiagnosticKind::limit, span,
                          "the recipe imports more than " + std::to_string(limits::kImportedFiles) + " files"));
    if (open_.size() > limits::kImportDepth)
      return report(error(DiagnosticKind::limit, span,
                          "imports are nested more than " + std::to_string(limits::kImportDepth) + " deep"));
    open_.push_back({identity, read->name});
    Imports::File file = checked(std::move(read->name), std::move(read->text));
    open_.pop_back();
    return files_[identity] = std::move(file);
  }

  Diagnostic circle(Span span, const std::vector<Opened>& files) const {
    std::string way = quoted(files.front().name);
    for (std::size_t i = 1; i < files.size(); ++i) way += " imports " + quoted(files[i].name);
    return error(DiagnosticKind::limit, span, "imports go in a circle: " + way + " imports " +
                                                       quoted(files.front().name))
        .hint("move what both need into a third file");
  }

  Imports::File checked(std::string name, std::string text) {
    auto file = std::make_shared<ImportedFile>();
    file->name = name;
    Result<ast::Module> parsed = parse(sources_, sources_.add(std::move(name), std::move(text)));
    if (!parsed) {
      for (const Diagnostic& finding : parsed.error()) report(finding);
      return nullptr;
    }
    file->module = *std::move(parsed);
    load_all(file->module, file->name);
    const CheckOptions options{.is_imported = true, .imports = &imports_};
    for (Diagnostic& finding : roux::check(sources_, file->module, library_, options)) report(std::move(finding));
    file->exports = exports_of(sources_, file->module, library_, options);
    return file;
  }

  SourceMap& sources_;
  Library& library_;
  const ReadImport& read_;
  Imports& imports_;
  std::vector<Opened> open_;                      // the files whose imports are being loaded, outermost first
  std::map<std::string, Imports::File> files_;  // by identity; null: failed, which was reported
  Diagnostics findings_;
};

// --- the file system --------------------------------------------------------------------------------

std::string folder_of(const std::string& name) { return fs::path(name).parent_path().string(); }

Diagnostic unreadable(const std::string& path, int error_number) {
  const bool missing = error_number == ENOENT || error_number == ENOTDIR;
  Diagnostic finding = error(missing ? DiagnosticKind::no_such_file : DiagnosticKind::io, {},
                             "cannot read " + quoted(path) + ": " + std::strerror(error_number));
  if (!missing) return finding;
  std::vector<std::string> names;
  const std::string folder = folder_of(path);
  std::error_code failed;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder.empty() ? "." : folder, failed))
    names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  const auto near = nearest(fs::path(path).filename().string(), names);
  finding.help = near ? "nearest is " + quoted(*near)
                      : "the path of an import is relative to the file that imports";
  if (failed) finding.help = "there is no folder " + quoted(folder) + "; " + finding.help;
  return finding;
}

}  // namespace

Result<ImportedText> import_from_files(const std::string& path, const std::string& importer) {
  if (path.empty() || path.find('\0') != std::string::npos)
    return error(DiagnosticKind::no_such_file, {}, quoted(path) + " is no path of a file");
  ImportedText file;
  file.name = (fs::path(folder_of(importer)) / path).lexically_normal().string();
  std::error_code failed;
  if (fs::is_directory(file.name, failed)) return unreadable(file.name, EISDIR);
  const fs::path identity = fs::weakly_canonical(file.name, failed);
  if (!failed) file.identity = identity.string();
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> opened(std::fopen(file.name.c_str(), "rb"), std::fclose);
  if (!opened) return unreadable(file.name, errno);
  file.text.resize(limits::kRecipeBytes + 1);  // one byte over the limit is enough to be refused
  file.text.resize(std::fread(file.text.data(), 1, file.text.size(), opened.get()));
  if (std::ferror(opened.get())) return unreadable(file.name, errno);
  return file;
}

Diagnostics load_imports(SourceMap& sources, Library& library, const ReadImport& read, const std::string& name,
                         const ast::Module& module, Imports& imports) {
  const ReadImport reader = read ? read : ReadImport(import_from_files);
  Loader loader(sources, library, reader, imports, name);
  loader.load_all(module, name);
  return loader.take_findings();
}

std::map<std::string, std::string> imported_texts(const SourceMap& sources, const std::string& recipe_name,
                                                  const Imports& imports) {
  const std::string folder = folder_of(recipe_name);
  std::map<std::string, std::string> texts;
  for (const ImportedFile* file : imports.all()) {
    const fs::path seen = folder.empty() ? fs::path(file->name) : fs::path(file->name).lexically_relative(folder);
    texts[seen.empty() ? file->name : seen.string()] = std::string(sources.text(file->module.source));
  }
  return texts;
}

}  // namespace roux
