#include "runtime/kernel/text.h"

#include <charconv>
#include <string>
#include <string_view>

#include "base/text.h"

namespace roux {
namespace {

using Kind = Instruction::Kind;

constexpr std::string_view kReduceNames[] = {"sum", "dot", "count", "min", "max"};

std::string value_text(ValueId id) { return "%" + std::to_string(id); }
std::string scalar_text(ScalarId id) {
  return is_spread(id) ? "@" + std::to_string(spread_index(id)) : "$" + std::to_string(id);
}

std::string linear_text(const Kernel& kernel, const Instruction& i) {
  std::vector<std::string> parts;
  if (i.a != kNone) parts.push_back(scalar_text(i.a));
  for (std::uint32_t t = i.b; t < i.b + i.c; ++t) {
    const LinearTerm& term = kernel.terms[t];
    parts.push_back(term.kind == LinearTerm::Kind::table
                        ? "table " + std::to_string(term.index)
                        : value_text(term.index) + " * " + scalar_text(term.scale));
  }
  const std::string sum = "linear [" + join(parts, ", ") + "]";
  return i.d == kNone ? sum : sum + " * " + scalar_text(i.d);
}

std::string op_text(const Instruction& i) {
  const ValueId operands[] = {i.a, i.b, i.c};
  std::string out(name_of(i.op));
  for (int position = 0; position < facts_of(i.op).arity; ++position)
    out += (position == 0 ? " " : ", ") + value_text(operands[position]);
  return out;
}

std::string instruction_text(const Kernel& kernel, const Instruction& i) {
  const std::string field =
      " " + scalar_text(i.a) + ", " + scalar_text(i.b) + ", " + scalar_text(i.c);
  switch (i.kind) {
    case Kind::input: return "input " + std::to_string(i.a);
    case Kind::scalar:
      return is_spread(i.a) ? "spread " + std::to_string(spread_index(i.a))
                            : "scalar " + std::to_string(i.a);
    case Kind::op: return op_text(i);
    case Kind::linear: return linear_text(kernel, i);
    case Kind::uniform: return "uniform" + field;
    case Kind::normal: return "normal" + field;
    case Kind::bernoulli: return "bernoulli" + field + ", " + scalar_text(i.d);
    case Kind::top:
      return "top " + value_text(i.a) + ", " + scalar_text(i.b) + ", " + scalar_text(i.c);
  }
  return "?";
}

void append_dtypes(std::string& out, std::string_view noun, const std::vector<DType>& dtypes) {
  if (dtypes.empty()) return;
  out += noun;
  for (DType dtype : dtypes) out += " " + std::string(name_of(dtype));
  out += '\n';
}

// Reads one line of kernel text; the first problem is kept, and everything after it reads as
// nothing.
class LineReader {
 public:
  explicit LineReader(std::string_view line) : rest_(line.substr(0, line.find('#'))) { skip(); }

  bool at_end() const { return rest_.empty(); }
  bool at_scalar() const { return !at_end() && (rest_.front() == '$' || rest_.front() == '@'); }
  const std::string& problem() const { return problem_; }
  void refuse(std::string what) {
    if (problem_.empty()) problem_ = std::move(what);
    rest_ = {};
  }

  bool accept(char symbol) {
    if (rest_.empty() || rest_.front() != symbol) return false;
    rest_.remove_prefix(1);
    skip();
    return true;
  }
  void expect(char symbol) {
    if (!accept(symbol)) refuse(std::string("expected `") + symbol + "`" + seen());
  }
  std::string_view word() {
    std::size_t length = 0;
    while (length < rest_.size() &&
           (std::isalnum(static_cast<unsigned char>(rest_[length])) || rest_[length] == '_'))
      ++length;
    const std::string_view result = rest_.substr(0, length);
    if (result.empty())
      refuse("expected a word" + seen());
    else
      rest_.remove_prefix(length), skip();
    return result;
  }
  std::uint32_t number() {
    std::uint32_t result = 0;
    const auto [end, failure] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), result);
    if (failure != std::errc()) return refuse("expected a whole number" + seen()), 0;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    skip();
    return result;
  }
  ValueId value() { return expect('%'), number(); }
  ScalarId scalar() {
    if (accept('@')) return spread();
    return expect('$'), number();
  }
  ScalarId spread() { return number() | kSpread; }
  std::string seen() const {
    return rest_.empty() ? ", found the end of the line" : ", found `" + std::string(rest_) + "`";
  }

 private:
  void skip() {
    const std::size_t start = rest_.find_first_not_of(" \t\r");
    rest_ = start == std::string_view::npos ? std::string_view() : rest_.substr(start);
  }

  std::string_view rest_;
  std::string problem_;
};

std::vector<DType> read_dtypes(LineReader& line) {
  std::vector<DType> dtypes;
  while (!line.at_end()) {
    const std::string_view name = line.word();
    const auto dtype = dtype_from_name(name);
    if (!dtype) return line.refuse("unknown type " + quoted(name)), dtypes;
    dtypes.push_back(*dtype);
  }
  return dtypes;
}

void read_linear(LineReader& line, Kernel& kernel, Instruction& i) {
  i.b = static_cast<std::uint32_t>(kernel.terms.size());
  line.expect('[');
  if (!line.accept(']')) {
    bool first = true;
    do {
      if (line.at_scalar()) {
        if (!first) line.refuse("a constant stands first in a `linear`");
        i.a = line.scalar();
      } else if (line.accept('%')) {
        LinearTerm term{LinearTerm::Kind::value, line.number(), kNone};
        line.expect('*');
        term.scale = line.scalar();
        kernel.terms.push_back(term);
      } else {
        if (line.word() != "table") line.refuse("expected a term of a `linear`");
        kernel.terms.push_back({LinearTerm::Kind::table, line.number(), kNone});
      }
      first = false;
    } while (line.accept(','));
    line.expect(']');
  }
  if (line.accept('*')) i.d = line.scalar();
  i.c = static_cast<std::uint32_t>(kernel.terms.size()) - i.b;
}

void read_op(LineReader& line, std::string_view name, Instruction& i) {
  const auto op = op_from_name(name);
  if (!op) return line.refuse("unknown operation " + quoted(name));
  i.kind = Kind::op;
  i.op = *op;
  ValueId* const operands[] = {&i.a, &i.b, &i.c};
  for (int position = 0; position < facts_of(*op).arity; ++position) {
    if (position > 0) line.expect(',');
    *operands[position] = line.value();
  }
}

// $a, $b, $c and, for four, $d.
void read_scalars(LineReader& line, Instruction& i, int count) {
  ScalarId* const operands[] = {&i.a, &i.b, &i.c, &i.d};
  for (int position = 0; position < count; ++position) {
    if (position > 0) line.expect(',');
    *operands[position] = line.scalar();
  }
}

Instruction read_instruction(LineReader& line, Kernel& kernel) {
  Instruction i{};
  const std::string_view name = line.word();
  if (name == "input" || name == "scalar" || name == "spread") {
    i.kind = name == "input" ? Kind::input : Kind::scalar;
    i.a = name == "spread" ? line.spread() : line.number();
  } else if (name == "linear") {
    i.kind = Kind::linear;
    read_linear(line, kernel, i);
  } else if (name == "uniform" || name == "normal") {
    i.kind = name == "uniform" ? Kind::uniform : Kind::normal;
    read_scalars(line, i, 3);
  } else if (name == "bernoulli") {
    i.kind = Kind::bernoulli;
    read_scalars(line, i, 4);
  } else if (name == "top") {
    i.kind = Kind::top;
    i.a = line.value();
    line.expect(',');
    i.b = line.scalar();
    line.expect(',');
    i.c = line.scalar();
  } else {
    read_op(line, name, i);
  }
  return i;
}

Reduction read_reduction(LineReader& line) {
  Reduction reduction{};
  const std::string_view name = line.word();
  bool known = false;
  for (std::size_t op = 0; op < std::size(kReduceNames); ++op) {
    if (kReduceNames[op] != name) continue;
    reduction.op = static_cast<ReduceOp>(op);
    known = true;
  }
  if (!known) return line.refuse("unknown reduction " + quoted(name)), reduction;
  reduction.a = line.value();
  if (reduction.op == ReduceOp::dot) line.expect(','), reduction.b = line.value();
  return reduction;
}

LaneType read_lane(LineReader& line) {
  const std::string_view name = line.word();
  if (name != "f32" && name != "f64") line.refuse("expected `f32` or `f64`, found " + quoted(name));
  return name == "f64" ? LaneType::f64 : LaneType::f32;
}

void read_line(LineReader& line, Kernel& kernel) {
  if (line.accept('%')) {
    const std::uint32_t id = line.number();
    if (id != kernel.body.size())
      return line.refuse("expected the value %" + std::to_string(kernel.body.size()));
    line.expect('=');
    kernel.body.push_back(read_instruction(line, kernel));
  } else {
    const std::string_view word = line.word();
    if (word == "inputs") {
      kernel.inputs = read_dtypes(line);
    } else if (word == "tables") {
      kernel.tables = read_dtypes(line);
    } else if (word == "scalars") {
      kernel.scalar_count = line.number();
    } else if (word == "spreads") {
      kernel.spread_count = line.number();
    } else if (word == "starts") {
      if (line.word() != "anywhere") line.refuse("expected `anywhere`");
      kernel.starts_anywhere = true;
    } else if (word == "store") {
      const auto dtype = dtype_from_name(line.word());
      if (!dtype) return line.refuse("unknown type in a store");
      kernel.stores.push_back({*dtype, line.value()});
    } else if (word == "reduce") {
      kernel.reductions.push_back(read_reduction(line));
    } else {
      line.refuse("unknown line " + quoted(word));
    }
  }
  if (!line.at_end()) line.refuse("unexpected text at the end" + line.seen());
}

}  // namespace

std::string to_text(const Kernel& kernel) {
  std::string out = kernel.lane == LaneType::f64 ? "kernel f64\n" : "kernel f32\n";
  append_dtypes(out, "inputs", kernel.inputs);
  append_dtypes(out, "tables", kernel.tables);
  if (kernel.scalar_count != 0) out += "scalars " + std::to_string(kernel.scalar_count) + "\n";
  if (kernel.spread_count != 0) out += "spreads " + std::to_string(kernel.spread_count) + "\n";
  if (kernel.starts_anywhere) out += "starts anywhere\n";
  for (std::size_t id = 0; id < kernel.body.size(); ++id)
    out += value_text(static_cast<ValueId>(id)) + " = " +
           instruction_text(kernel, kernel.body[id]) + "\n";
  for (const Store& store : kernel.stores)
    out += "store " + std::string(name_of(store.dtype)) + " " + value_text(store.value) + "\n";
  for (const Reduction& reduction : kernel.reductions) {
    out += "reduce " + std::string(kReduceNames[static_cast<std::size_t>(reduction.op)]) + " " +
           value_text(reduction.a);
    if (reduction.op == ReduceOp::dot) out += ", " + value_text(reduction.b);
    out += '\n';
  }
  return out;
}

Result<Kernel> parse_kernel(std::string_view text) {
  Kernel kernel;
  bool begun = false;
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    LineReader line(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (!line.at_end()) {
      if (begun) {
        read_line(line, kernel);
      } else if (line.word() == "kernel") {
        kernel.lane = read_lane(line);
        begun = true;
      } else {
        line.refuse("a kernel begins with `kernel f32` or `kernel f64`");
      }
    }
    if (!line.problem().empty())
      return error(DiagnosticKind::syntax, {},
                   "kernel text, line " + std::to_string(number) + ": " + line.problem());
  }
  if (!begun) return error(DiagnosticKind::syntax, {}, "kernel text is empty");
  return kernel;
}

}  // namespace roux
