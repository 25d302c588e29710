#include "compiler/syntax/ast.h"

#include "base/text.h"

namespace roux::ast {
namespace {

// One s-expression per statement. Heads in first place name the node; a leaf is itself.
class Dumper {
 public:
  explicit Dumper(const Module& module) : module_(module) {}

  std::string run() {
    for (const Statement& statement : module_.statements) {
      put(statement);
      out_ += '\n';
    }
    return std::move(out_);
  }

 private:
  template <class... Parts>
  void form(std::string_view head, const Parts&... parts) {
    out_ += '(';
    out_ += head;
    (spaced(parts), ...);
    out_ += ')';
  }

  template <class Part>
  void spaced(const Part& part) {
    out_ += ' ';
    put(part);
  }
  template <class Part>
  void spaced(const std::vector<Part>& parts) {
    for (const Part& part : parts) spaced(part);
  }
  template <class Part>
  void spaced(const std::optional<Part>& part) {
    if (part) spaced(*part);
  }

  void put(ExprId id) {
    if (id == kNoExpr)
      out_ += "<none>";
    else
      std::visit([this](const auto& node) { put(node); }, module_[id].node);
  }
  void put(const std::string& text) { out_ += text; }
  void put(const BoundName& name) { out_ += name.text; }

  void put(const Number& n) { out_ += format_number(n.value); }
  void put(const Bool& n) { out_ += n.value ? "true" : "false"; }
  void put(const None&) { out_ += "none"; }
  void put(const Name& n) { out_ += n.text; }
  void put(const StringPart& part) {
    if (part.value == kNoExpr)
      out_ += string_literal(part.text);
    else
      put(part.value);
  }
  void put(const String& n) {
    const bool plain = n.parts.size() == 1 && n.parts[0].value == kNoExpr;
    if (n.parts.empty())
      out_ += "\"\"";
    else if (plain)
      put(n.parts[0]);
    else
      form("string", n.parts);
  }
  void put(const List& n) { form("list", n.items); }
  void put(const Tuple& n) { form("tuple", n.items); }
  void put(const Field& field) { form("=", field.name, field.value); }
  void put(const Record& n) { form("record", n.fields); }
  void put(const Unary& n) { form(spelling(n.op), n.operand); }
  void put(const Binary& n) { form(spelling(n.op), n.left, n.right); }
  void put(const If& n) { form("if", n.condition, n.then_value, n.else_value); }
  void put(const As& n) { form("as", n.value, n.type); }
  void put(const Argument& argument) {
    if (argument.name.empty())
      put(argument.value);
    else
      form("=", argument.name, argument.value);
  }
  void put(const Call& n) { form(n.piped ? "pipe" : "call", n.callee, n.arguments); }
  void put(const Index& n) { form("index", n.object, n.index); }
  void put(const Member& n) { form(".", n.object, n.name); }
  void put(const Lambda& n) {
    out_ += "(=> ";
    names(n.parameters);
    spaced(n.body);
    out_ += ')';
  }
  void put(const Generator& n) {
    out_ += "(for ";
    names(n.targets);
    spaced(n.source);
    for (ExprId condition : n.conditions) out_ += ' ', form("if", condition);
    out_ += ')';
  }
  void put(const Comprehension& n) { form("each", n.value, n.generators); }
  void put(const MatchArm& arm) {
    switch (arm.pattern) {
      case MatchArm::Pattern::glob: return form("glob", string_literal(arm.text), arm.value);
      case MatchArm::Pattern::regex: return form("regex", string_literal(arm.text), arm.value);
      case MatchArm::Pattern::anything: return form("_", arm.value);
    }
  }
  void put(const Match& n) { form("match", n.subject, n.arms); }
  void put(const Block& n) { form("block", n.statements, n.result); }

  void put(const Statement& statement) {
    std::visit([this](const auto& node) { put(node); }, statement.node);
  }
  void put(const Bind& n) { form("bind", n.name, n.value); }
  void put(const Parameter& n) {
    out_ += '(';
    out_ += n.name.text;
    if (n.type) out_ += ": ", put(*n.type);
    if (n.default_value != kNoExpr) out_ += " = ", put(n.default_value);
    out_ += ')';
  }
  void put(const Param& n) { form("param", n.parameter); }
  void put(const Method& n) {
    out_ += "(method " + n.name.text + " (";
    for (const Parameter& parameter : n.parameters) {
      if (&parameter != n.parameters.data()) out_ += ' ';
      put(parameter);
    }
    out_ += ')';
    if (n.result) out_ += " -> ", put(*n.result);
    spaced(n.body);
    if (!n.documentation.empty()) out_ += " ## " + string_literal(n.documentation);
    out_ += ')';
  }
  void put(const Import& n) { form("import", string_literal(n.path), n.alias); }
  void put(const ExprStatement& n) { put(n.value); }

  void names(const std::vector<BoundName>& bound) {
    out_ += '(';
    for (const BoundName& name : bound) {
      if (&name != bound.data()) out_ += ' ';
      out_ += name.text;
    }
    out_ += ')';
  }

  void put_all(const std::vector<Type>& types, std::string_view separator) {
    for (const Type& type : types) {
      if (&type != types.data()) out_ += separator;
      put(type);
    }
  }
  void put(const Type& type) {
    switch (type.kind) {
      case Type::Kind::named: return put_named(type);
      case Type::Kind::literal: out_ += string_literal(type.name); return;
      case Type::Kind::tuple: out_ += '(', put_all(type.arguments, ", "), out_ += ')'; return;
      case Type::Kind::either: out_ += "(| ", put_all(type.arguments, " "), out_ += ')'; return;
      case Type::Kind::optional: put_all(type.arguments, ""), out_ += '?'; return;
    }
  }
  void form_range(double low, double high) {
    out_ += '(';
    out_ += format_number(low);
    out_ += "..";
    out_ += format_number(high);
    out_ += ')';
  }
  void put_named(const Type& type) {
    out_ += type.name;
    if (!type.arguments.empty()) out_ += '[', put_all(type.arguments, ", "), out_ += ']';
    if (!type.range) return;
    form_range(type.range->first, type.range->second);
  }

  const Module& module_;
  std::string out_;
};

}  // namespace

const char* spelling(UnaryOp op) {
  switch (op) {
    case UnaryOp::negate: return "-";
    case UnaryOp::logical_not: return "not";
  }
  return "";
}

const char* spelling(BinaryOp op) {
  switch (op) {
    case BinaryOp::add: return "+";
    case BinaryOp::subtract: return "-";
    case BinaryOp::multiply: return "*";
    case BinaryOp::divide: return "/";
    case BinaryOp::power: return "^";
    case BinaryOp::equal: return "==";
    case BinaryOp::not_equal: return "!=";
    case BinaryOp::less: return "<";
    case BinaryOp::less_equal: return "<=";
    case BinaryOp::greater: return ">";
    case BinaryOp::greater_equal: return ">=";
    case BinaryOp::logical_and: return "and";
    case BinaryOp::logical_or: return "or";
    case BinaryOp::range: return "..";
    case BinaryOp::concatenate: return "++";
    case BinaryOp::without: return "without";
  }
  return "";
}

std::string dump(const Module& module) { return Dumper(module).run(); }

}  // namespace roux::ast
