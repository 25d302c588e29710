#include "api/diagnostic_json.h"

#include <nlohmann/json.hpp>

namespace roux {
namespace {

using Json = nlohmann::ordered_json;

// Where a span is; every field is there, null where there is no place.
void add_place(Json& object, Span span, const SourceMap& sources) {
  if (!sources.holds(span)) {
    for (const char* field : {"file", "line", "column", "end_line", "end_column", "byte_begin", "byte_end"})
      object[field] = nullptr;
    return;
  }
  const Place place = sources.place_of(span);
  object["file"] = place.file;
  object["line"] = place.line;
  object["column"] = place.column;
  object["end_line"] = place.end_line;
  object["end_column"] = place.end_column;
  object["byte_begin"] = span.begin;
  object["byte_end"] = span.end;
}

Json json_of(const Diagnostic& diagnostic, const SourceMap& sources) {
  Json object = {{"code", code_of(diagnostic.kind)},
                 {"kind", name_of(diagnostic.kind)},
                 {"severity", name_of(diagnostic.severity)},
                 {"message", diagnostic.message}};
  add_place(object, diagnostic.span, sources);
  object["tensor"] = diagnostic.tensor.empty() ? Json() : Json(diagnostic.tensor);
  object["checkpoints"] = diagnostic.checkpoints;
  object["notes"] = Json::array();
  for (const Label& label : diagnostic.notes) {
    Json note = {{"message", label.text}};
    add_place(note, label.span, sources);
    object["notes"].push_back(std::move(note));
  }
  object["hint"] = diagnostic.help.empty() ? Json() : Json(diagnostic.help);
  return object;
}

}  // namespace

std::string to_json(const Diagnostics& diagnostics, const SourceMap& sources) {
  Json array = Json::array();
  for (const Diagnostic& diagnostic : diagnostics) array.push_back(json_of(diagnostic, sources));
  // Messages quote file names, which may be any bytes.
  return array.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace roux
