// Reading the parameters of a request, with an error of the protocol that names what is missing or of another type.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace roux::cli::lsp {

// Of JSON-RPC and of the protocol.
enum ErrorCode : int {
  kParseError = -32700,
  kInvalidRequest = -32600,
  kMethodNotFound = -32601,
  kInvalidParams = -32602,
  kInternalError = -32603,
  kNotInitialized = -32002,
  kRequestFailed = -32803,
};

struct RequestError {
  ErrorCode code;
  std::string message;
};

inline RequestError invalid(const std::string& message) { return {kInvalidParams, message}; }

inline const nlohmann::json& member(const nlohmann::json& params, const char* name) {
  const auto found = params.is_object() ? params.find(name) : params.end();
  if (!params.is_object() || found == params.end()) throw invalid("`" + std::string(name) + "` is missing");
  return *found;
}

inline const nlohmann::json& object_at(const nlohmann::json& params, const char* name) {
  const nlohmann::json& found = member(params, name);
  if (!found.is_object()) throw invalid("`" + std::string(name) + "` must be an object, got " + found.type_name());
  return found;
}

inline std::string text_at(const nlohmann::json& params, const char* name) {
  const nlohmann::json& found = member(params, name);
  if (!found.is_string()) throw invalid("`" + std::string(name) + "` must be a string, got " + found.type_name());
  return found.get<std::string>();
}

// Counted from 0.
inline std::size_t count_at(const nlohmann::json& params, const char* name) {
  const nlohmann::json& found = member(params, name);
  if (!found.is_number_unsigned())
    throw invalid("`" + std::string(name) + "` must be a whole number of 0 or more, got " + found.dump());
  return found.get<std::size_t>();
}

// Null where it is left out or is of another kind: what an editor need not tell.
inline nlohmann::json optional_at(const nlohmann::json& params, const char* name) {
  const auto found = params.is_object() ? params.find(name) : params.end();
  return params.is_object() && found != params.end() ? *found : nlohmann::json();
}

}  // namespace roux::cli::lsp
