// Evaluates a checked recipe: control is interpreted here, operations on tensors append nodes to the graph.
// The host decides whether this is a rehearsal or a run. In a rehearsal a number that only tensors tell is
// unknown; an `if` on it evaluates both branches (so that both are checked) and goes on with the first.
// Findings are collected statement by statement; a name whose value failed stays silent where it is used.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/limits.h"
#include "compiler/interpret/host.h"
#include "compiler/interpret/spaces.h"
#include "compiler/interpret/value.h"
#include "compiler/sema/imports.h"
#include "compiler/sema/library.h"

namespace roux {

struct ArmTensors;  // by_name.h

class Environment {
 public:
  explicit Environment(std::shared_ptr<const Environment> parent) : parent_(std::move(parent)) {}
  const Value* find(std::string_view name) const;
  const Environment* parent() const { return parent_.get(); }
  const std::map<std::string, Value, std::less<>>& values() const { return values_; }
  void clear() { values_.clear(); }
  void bind(std::string name, Value value) { values_.insert_or_assign(std::move(name), std::move(value)); }

 private:
  std::map<std::string, Value, std::less<>> values_;
  std::shared_ptr<const Environment> parent_;
};

// A call whose arguments are evaluated and in the order of the parameters.
struct PrimitiveCall {
  std::vector<Value> arguments;
  std::vector<Span> spans;
  Span span;
};

// What statements leave behind when they have been evaluated one by one.
struct Evaluated {
  Diagnostics findings;       // none: they ran to their end
  std::vector<Value> values;  // of the statements that are expressions, in order
};

// How far control may go.
struct ControlLimits {
  int call_depth = limits::kCallDepth;
  std::uint64_t steps = limits::kControlSteps;
};

class Evaluator {
 public:
  Evaluator(SourceMap& sources, Library& library, const Imports& imports, Graph& graph, Host& host,
            const ControlLimits& limits);
  // Goes on from where another one stands, over a copy of its graph: for trying out what that one may do next.
  Evaluator(const Evaluator& other, Graph& copy, Host& host);
  ~Evaluator();
  Evaluator(const Evaluator&) = delete;

  // An empty scope right under the constants: where the names of a recipe or a session are bound.
  std::shared_ptr<Environment> top_scope() const { return std::make_shared<Environment>(root_); }
  // Evaluates statements, binding their names in `scope`. `settings` are the texts given for `param`s. A rehearsal
  // goes on after an error, so that all are found. The module must live as long as the functions that it makes.
  Evaluated evaluate(const ast::Module& module, const std::shared_ptr<Environment>& scope,
                     const std::map<std::string, std::string>& settings);

  // Runs the statements of a recipe in order. All errors found; none means that it ran to its end.
  Diagnostics run(const ast::Module& module, const std::map<std::string, std::string>& settings) {
    return evaluate(module, top_scope(), settings).findings;
  }
  // The value with its numbers that only tensors tell computed, together; lists looked into.
  Result<Value> computed(const Value& value);

  // --- for primitives ---
  SourceMap& sources() { return sources_; }
  Graph& graph() { return graph_; }
  Host& host() { return host_; }
  SpaceContext context(Span span) { return {graph_, host_, span}; }
  // Prints the texts of values, joined. A line with numbers that only tensors tell waits until some are needed,
  // or something else happens, so that the numbers of many lines are computed together.
  void print(std::vector<Value> parts, Span span);
  // What waits is printed: before anything else that is seen from outside.
  void print_waiting();
  // Computes all numbers of these values together, if control is to look at them one by one.
  void prepare(const std::vector<Value>& values, Span span);
  // Calls a function value with positional arguments.
  Value call(const Value& function, std::vector<Value> arguments, Span span);
  // A number for control; nothing if only a run can tell it (in a rehearsal).
  std::optional<double> control_number(const Value& value, const std::string& what, Span span);
  Value score(const Scorer& scorer, const Value& model, bool partial, Span span);
  // Inside an arm of a `match` there is no effect: an error that names what was tried.
  void refuse_inside_match(const std::string& what, Span span) const;
  // Whether a rehearsal is inside a branch that the run may not take.
  bool is_speculating() const { return speculation_ > 0; }
  std::uint32_t next_scorer_id() { return scorer_count_++; }
  // Remembers that `node` is dropped without a stream in this statement; an error if another one was.
  void claim_lone_stream(NodeId node, Span span);

 private:
  struct LoneStream {  // what is dropped without a stream in this statement, and the call that did
    NodeId node;
    Span call;
  };
  struct Frame {
    const ast::Module& module;
    std::shared_ptr<Environment> environment;
  };

  // A `match` between numbers without `_`: it has to fit whatever is loaded, later too.
  struct WholeMatch {
    std::vector<NameTest> tests;
    Span span;
    DomainId checked;  // the first domain that was not looked at
  };

  // A text given for a `param` from outside, and the name under which.
  struct Setting {
    std::string name;
    std::string text;
  };

  void take_settings(const ast::Module& recipe, const std::map<std::string, std::string>& settings);
  void execute_all(const ast::Module& module, Frame& frame, Evaluated& evaluated);
  void execute(const ast::Statement& statement, Frame& frame);
  void import_file(const ast::Import& import, Frame& frame, Diagnostics& findings);
  std::shared_ptr<Environment> environment_of(const ImportedFile& file, Diagnostics& findings);
  Value param_value(const ast::Parameter& parameter, Frame& frame);
  Value setting_value(const ast::Parameter& parameter, const Setting& given, Frame& frame);

  Value eval(ast::ExprId id, Frame& frame);
  Value eval_node(const ast::Number& node, Span span, Frame& frame);
  Value eval_node(const ast::Bool& node, Span span, Frame& frame);
  Value eval_node(const ast::None& node, Span span, Frame& frame);
  Value eval_node(const ast::Name& node, Span span, Frame& frame);
  Value eval_node(const ast::String& node, Span span, Frame& frame);
  Value eval_node(const ast::List& node, Span span, Frame& frame);
  Value eval_node(const ast::Tuple& node, Span span, Frame& frame);
  Value eval_node(const ast::Record& node, Span span, Frame& frame);
  Value eval_node(const ast::Unary& node, Span span, Frame& frame);
  Value eval_node(const ast::Binary& node, Span span, Frame& frame);
  Value eval_node(const ast::If& node, Span span, Frame& frame);
  Value eval_node(const ast::As& node, Span span, Frame& frame);
  Value eval_node(const ast::Call& node, Span span, Frame& frame);
  Value eval_node(const ast::Index& node, Span span, Frame& frame);
  Value eval_node(const ast::Member& node, Span span, Frame& frame);
  Value eval_node(const ast::Lambda& node, Span span, Frame& frame);
  Value eval_node(const ast::Comprehension& node, Span span, Frame& frame);
  Value eval_node(const ast::Match& node, Span span, Frame& frame);
  Value eval_node(const ast::Block& node, Span span, Frame& frame);

  std::string each_of(const ast::Binary& node, bool is_left, const Frame& frame) const;
  Value eval_logical(const ast::Binary& node, Span span, Frame& frame);
  Value eval_arm(const ast::MatchArm& arm, const ArmTensors* tensors, Frame& frame);
  Value match_numbers(const ast::Match& node, const std::vector<Value>& values, Span span);
  void check_patterns(const ast::Match& node) const;
  void check_whole_match(WholeMatch& match) const;
  void check_whole_matches();
  void comprehend(const ast::Comprehension& node, std::size_t depth, std::vector<Frame> frames, List& into);
  Frame frame_of(const ast::Generator& generator, const Value& item, const Frame& around);
  void keep_wanted(const ast::Generator& generator, std::vector<Frame>& frames);
  std::vector<Value> parts_of(ast::ExprId text, Frame& frame);
  Value call_method(const MethodValue& method, const std::vector<ast::Argument>& arguments,
                    std::vector<Value> plain, const ast::Module& module, Span span, Frame* caller);
  Value finish_call(const MethodValue& method, std::shared_ptr<Environment> environment,
                    std::vector<Value> values, std::vector<Span> spans, Span span);
  Value call_closure(const Closure& closure, std::vector<Value> arguments, Span span);
  Value eval_argument(const ast::Parameter& parameter, ast::ExprId id, Frame& frame);
  std::string text_of(const Value& value, Span span);
  void check_printable(const Value& value, Span span) const;
  Value resolved(const Value& value, Span span);
  void need(std::vector<NodeId> nodes, Span span);
  std::vector<NodeId> riders_of(const std::vector<NodeId>& needed) const;
  void finish(Diagnostics& findings);
  Value put_in(const Value& value);
  std::shared_ptr<const Environment> capture(const Frame& frame);
  Value default_of(const ast::Parameter& parameter, Frame& frame);
  void blame_caller(Diagnostic& finding, Span call, bool show_library, const std::string& name) const;
  Diagnostic with_loads(Diagnostic finding) const;
  class DepthGuard;
  void count_step(Span span);
  void check_extent(const Value& value, Span span) const;
  bool in_library(Span span) const { return span.valid() && library_.owns(span.source); }

  SourceMap& sources_;
  Library& library_;
  const Imports& imports_;
  Graph& graph_;
  Host& host_;
  const ControlLimits limits_;
  std::shared_ptr<Environment> root_;
  std::shared_ptr<Environment> recipe_;     // the names at the top of the recipe
  const Environment* here_ = nullptr;       // of the expression at hand
  struct WaitingLine {
    std::vector<Value> parts;
    Span span;
  };
  std::vector<WaitingLine> waiting_;
  std::vector<std::weak_ptr<Environment>> captured_;
  std::map<const ast::Parameter*, Setting> settings_;
  std::map<const ast::Parameter*, std::string> setting_names_;
  std::deque<ast::Module> settings_modules_;
  std::map<const ImportedFile*, std::shared_ptr<Environment>> imported_;  // each evaluated once
  std::map<std::pair<std::uint32_t, NodeId>, NodeId> rehearsed_scores_;
  std::vector<WholeMatch> whole_matches_;
  std::optional<LoneStream> lone_stream_;
  Span recipe_call_;  // the innermost call that the recipe itself makes
  std::uint64_t steps_ = 0;
  int call_depth_ = 0;
  int evaluation_depth_ = 0;
  int speculation_ = 0;
  int arm_depth_ = 0;  // arms of `match` around what is evaluated
  std::uint32_t scorer_count_ = 0;
};

// A model that is computed from others. It knows nothing of them, which whoever looks for them is told.
bool is_merged(const Graph& graph, const Value& value);
inline constexpr char kKeepsIngredients[] =
    "a merge, `mean(models)` too, is one plain model; `soup_of(models)` and `greedy(models, scorer)` keep their "
    "ingredients";

// The items of a list, tuple or soup; throws a Failure for anything else.
std::vector<Value> items_of(SpaceContext& context, const Value& value, const std::string& what);
bool equal_values(const Value& a, const Value& b);
// The whole numbers from `first` up to `last`, the end left out.
Value range_of(double first, double last, Span span);

}  // namespace roux
