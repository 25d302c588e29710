// The recipe that an output carries, and the files that it imports.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "api/engine_state.h"
#include "api/roux.h"
#include "base/limits.h"
#include "base/text.h"
#include "runtime/checkpoint/checkpoint.h"

namespace roux {
namespace {

namespace fs = std::filesystem;

using Metadata = std::map<std::string, std::string>;

Diagnostic no_recipe(const std::string& path, const std::string& why) {
  return error(DiagnosticKind::no_recipe, {}, quoted(path) + " holds no recipe: " + why);
}

Result<Metadata> metadata_with_recipe(const std::string& path) {
  ROUX_TRY(const Checkpoint::Ptr checkpoint, Checkpoint::open(path, {}));
  if (checkpoint->metadata().contains("roux.recipe")) return checkpoint->metadata();
  return no_recipe(path, "it was not written by roux");
}

std::string text_of(const nlohmann::json& object, const char* field) {
  const auto found = object.find(field);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// A part of the metadata as JSON; null where it is missing or something else wrote it.
nlohmann::json json_in(const Metadata& metadata, const char* key) {
  const auto found = metadata.find(key);
  if (found == metadata.end()) return nullptr;
  const nlohmann::json parsed = nlohmann::json::parse(found->second, nullptr, false);
  return parsed.is_discarded() ? nlohmann::json() : parsed;
}

Result<std::map<std::string, std::string>> imports_in(const Metadata& metadata, const std::string& path) {
  std::map<std::string, std::string> imports;
  if (!metadata.contains("roux.imports")) return imports;
  const nlohmann::json json = json_in(metadata, "roux.imports");
  if (!json.is_object()) return no_recipe(path, "what it says of imported files cannot be read");
  for (const auto& [name, text] : json.items()) {
    if (!text.is_string()) return no_recipe(path, "what it says of imported files cannot be read");
    imports[name] = text.get<std::string>();
  }
  return imports;
}

Result<StoredRecipe> recipe_in(const Metadata& metadata, const std::string& path) {
  StoredRecipe stored{.text = metadata.at("roux.recipe")};
  if (!stored.text.ends_with('\n')) stored.text += '\n';
  if (const auto version = metadata.find("roux.version"); version != metadata.end()) stored.version = version->second;
  const nlohmann::json parameters = json_in(metadata, "roux.parameters");
  if (parameters.is_object())
    for (const auto& [name, value] : parameters.items())
      if (value.is_string()) stored.parameters[name] = value.get<std::string>();
  for (const nlohmann::json& input : json_in(metadata, "roux.inputs"))
    if (input.is_object()) stored.inputs.push_back({text_of(input, "name"), text_of(input, "xxh3-128"), text_of(input, "of") != "header"});
  ROUX_TRY(stored.imports, imports_in(metadata, path));
  return stored;
}

// The recipe, with what else is known of it as comments above.
std::string with_facts(const Metadata& metadata, const StoredRecipe& stored) {
  std::string text;
  for (const char* key : {"roux.version", "roux.parameters", "roux.inputs"})
    if (auto found = metadata.find(key); found != metadata.end())
      text += "# " + std::string(key) + ": " + found->second + "\n";
  return text + stored.text;
}

std::string as_comment(const std::string& text) {
  std::string comment, line;
  for (std::istringstream lines(text); std::getline(lines, line);) comment += line.empty() ? "#\n" : "# " + line + "\n";
  return comment;
}

std::ptrdiff_t folders_above(const fs::path& path) {
  return std::count(path.begin(), path.end(), fs::path(".."));
}

// Never over what is there.
Status write_new(const fs::path& path, const std::string& text) {
  std::error_code failed;
  fs::create_directories(path.parent_path(), failed);
  if (fs::exists(fs::symlink_status(path, failed)))
    return error(DiagnosticKind::output_exists, {}, quoted(path.string()) + " exists already")
        .hint("name a folder that is empty or not there");
  std::ofstream file(path, std::ios::binary);
  file << text;
  if (file.flush()) return ok();
  return error(DiagnosticKind::io, {}, "cannot write " + quoted(path.string()) + ": " + std::strerror(errno));
}

Result<StoredRecipe> recipe_at(const std::string& path) {
  ROUX_TRY(const Metadata metadata, metadata_with_recipe(path));
  return recipe_in(metadata, path);
}

Result<std::string> text_at(const std::string& path) {
  ROUX_TRY(const Metadata metadata, metadata_with_recipe(path));
  ROUX_TRY(const StoredRecipe stored, recipe_in(metadata, path));
  std::string text = with_facts(metadata, stored);
  for (const auto& [name, imported] : stored.imports)
    text += "\n# --- imported: " + name + "\n" + as_comment(imported);
  return text;
}

// The recipe goes as deep into the folder as its imports climb above it, so that all of them lie inside.
Result<std::vector<std::string>> extract(const std::string& path, const std::string& folder) {
  ROUX_TRY(const Metadata metadata, metadata_with_recipe(path));
  ROUX_TRY(const StoredRecipe inside, recipe_in(metadata, path));
  std::ptrdiff_t above = 0;
  std::map<fs::path, std::string> files;
  for (const auto& [name, text] : inside.imports) {
    const fs::path relative = fs::path(name).lexically_normal();
    above = std::max(above, folders_above(relative));
    if (relative.is_absolute() || above > limits::kImportsAbove || name.find('\0') != std::string::npos)
      return error(DiagnosticKind::bad_option, {}, "the imported file " + quoted(name) + " has no place below " +
                                                       quoted(folder))
          .hint("without `--into` its text is printed");
    files[relative] = text;
  }
  fs::path home = folder;
  for (std::ptrdiff_t i = 0; i < above; ++i) home /= "recipe";
  files["recipe.merge"] = with_facts(metadata, inside);
  std::vector<std::string> written;
  for (const auto& [relative, text] : files) {
    written.push_back((home / relative).lexically_normal().string());
    ROUX_DO(write_new(written.back(), text));
  }
  return written;
}

}  // namespace

Result<StoredRecipe> stored_recipe(const std::string& path) {
  return guarded([&] { return recipe_at(path); });
}
Result<std::string> recipe_inside(const std::string& path) {
  return guarded([&] { return text_at(path); });
}
Result<std::vector<std::string>> extract_recipe(const std::string& path, const std::string& folder) {
  return guarded([&] { return extract(path, folder); });
}

}  // namespace roux
