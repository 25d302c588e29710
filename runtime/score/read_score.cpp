#include <charconv>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/limits.h"
#include "base/text.h"
#include "runtime/score/command.h"

namespace roux {
namespace {

using Json = nlohmann::json;

Diagnostic failed(Span span, std::string message) {
  return error(DiagnosticKind::scorer_failed, span, std::move(message));
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\f\v";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

// The number that is the whole text; "12%", "0x10" and "1 2" are none.
std::optional<double> whole_number(std::string_view text) {
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  double value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Python prints NaN and Infinity into JSON, where they do not belong; as texts they do no harm.
std::string with_quoted_non_numbers(const std::string& text) {
  constexpr std::string_view kWords[] = {"-Infinity", "Infinity", "NaN"};
  constexpr std::string_view kBefore = " \t\r\n:,[", kAfter = " \t\r\n,]}";
  std::string out;
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t length = 0;
    if (at > 0 && kBefore.find(text[at - 1]) != std::string_view::npos)
      for (std::string_view word : kWords)
        if (text.compare(at, word.size(), word) == 0 && at + word.size() < text.size() &&
            kAfter.find(text[at + word.size()]) != std::string_view::npos)
          length = word.size();
    if (length > 0) {
      out += '"' + text.substr(at, length) + '"';
      at += length;
    } else {
      out += text[at++];
    }
  }
  return out;
}

// Where the object that ends with the brace at `end` would begin, if it is one: found from behind,
// minding strings, in which quotes are escaped by an odd number of backslashes.
std::size_t matching_brace(std::string_view text, std::size_t end) {
  bool in_string = false;
  int depth = 0;
  for (std::size_t at = end + 1; at-- > 0;) {
    if (text[at] == '"') {
      std::size_t slashes = 0;
      while (slashes < at && text[at - slashes - 1] == '\\') ++slashes;
      if (slashes % 2 == 0) in_string = !in_string;
    } else if (!in_string && text[at] == '}') {
      ++depth;
    } else if (!in_string && text[at] == '{' && --depth == 0) {
      return at;
    }
  }
  return std::string_view::npos;
}

// The last {...} that is JSON, whatever stands around it.
std::optional<Json> last_object(const std::string& text) {
  std::size_t scanned = 0;
  for (std::size_t end = text.rfind('}'); end != std::string::npos && scanned < limits::kScorerScanBytes;
       end = end == 0 ? std::string::npos : text.rfind('}', end - 1)) {
    const std::size_t begin = matching_brace(text, end);
    scanned += end - (begin == std::string::npos ? 0 : begin);
    if (begin == std::string::npos) continue;
    Json object = Json::parse(text.begin() + static_cast<std::ptrdiff_t>(begin),
                              text.begin() + static_cast<std::ptrdiff_t>(end) + 1, nullptr, false);
    if (object.is_object()) return object;
  }
  return std::nullopt;
}

// `a.b.c`: member `a.b.c`, else member `c` of `a.b`, else `b.c` of `a`: names may contain dots
// themselves.
const Json* member_at(const Json& object, std::string_view path) {
  if (!object.is_object()) return nullptr;
  if (const auto found = object.find(path); found != object.end()) return &*found;
  for (std::size_t dot = path.rfind('.'); dot != std::string_view::npos && dot > 0;
       dot = path.rfind('.', dot - 1)) {
    const auto found = object.find(path.substr(0, dot));
    if (found == object.end()) continue;
    if (const Json* member = member_at(*found, path.substr(dot + 1))) return member;
  }
  return nullptr;
}

void collect_metrics(const Json& object, const std::string& prefix,
                     std::vector<std::string>& names) {
  constexpr std::size_t kEnough = 1000;
  for (const auto& [name, member] : object.items()) {
    if (names.size() >= kEnough) return;
    if (member.is_number()) names.push_back(prefix + name);
    if (member.is_object() && prefix.size() < 256)
      collect_metrics(member, prefix + name + ".", names);
  }
}

Diagnostic no_such_metric(const Json& object, const std::string& metric, Span span) {
  std::vector<std::string> names;
  collect_metrics(object, "", names);
  Diagnostic missing =
      failed(span, "the scorer's JSON object has no field " + roux::quoted(metric));
  if (const auto near = nearest(metric, names))
    return std::move(missing).hint("nearest is " + roux::quoted(*near));
  constexpr std::size_t kShown = 10;
  if (names.size() > kShown) names.resize(kShown);
  for (std::string& name : names) name = roux::quoted(name);
  if (names.empty()) return std::move(missing).hint("it has no fields that are numbers");
  return std::move(missing).hint("its numbers are " + join(names, ", "));
}

Result<double> checked(double score, Span span) {
  if (std::isnan(score))
    return failed(span, "the score is NaN").hint("a scorer has to print a number for every model");
  return score;
}

Result<double> read_metric(const std::string& output, const std::string& metric, Span span) {
  const std::optional<Json> object = last_object(with_quoted_non_numbers(output));
  if (!object)
    return failed(span,
                  "the scorer printed no JSON object to read " + roux::quoted(metric) + " from")
        .hint("print an object like {\"" + metric + "\": 0.5} on the last line of standard output");
  const Json* value = member_at(*object, metric);
  if (!value) return no_such_metric(*object, metric, span);
  if (value->is_number()) return checked(value->get<double>(), span);
  if (*value == "NaN") return checked(std::numeric_limits<double>::quiet_NaN(), span);
  if (*value == "Infinity") return std::numeric_limits<double>::infinity();
  if (*value == "-Infinity") return -std::numeric_limits<double>::infinity();
  return failed(span,
                "field " + roux::quoted(metric) + " of the scorer's JSON object is " +
                    (value->is_null() ? "null" : std::string("of type ") + value->type_name()) +
                    ", not a number")
      .hint("the score has to be a JSON number");
}

}  // namespace

Result<double> read_score(const std::string& output, const std::optional<std::string>& metric,
                          Span span) {
  if (metric) return read_metric(output, *metric, span);
  std::string_view rest = output;
  while (!rest.empty()) {
    const std::size_t newline = rest.rfind('\n');
    const std::size_t begin = newline == std::string_view::npos ? 0 : newline + 1;
    if (const auto number = whole_number(trimmed(rest.substr(begin))))
      return checked(*number, span);
    rest = rest.substr(0, newline == std::string_view::npos ? 0 : newline);
  }
  return failed(span, "no line of the scorer's standard output is a number and nothing else")
      .hint(
          "print the score alone on the last line, or give the scorer `metric = \"NAME\"` to read "
          "a field "
          "of a JSON object");
}

}  // namespace roux
