// Comprehensions. Where there are conditions, those of many items are evaluated before any is looked at, so
// that numbers that only tensors tell are computed together.
#include "base/text.h"
#include "compiler/interpret/evaluator.h"
#include "compiler/interpret/failure.h"

namespace roux {
namespace {

constexpr std::size_t kTogether = 1000;  // items

}  // namespace

Value Evaluator::eval_node(const ast::Comprehension& node, Span, Frame& frame) {
  List list;
  comprehend(node, 0, {frame}, list);
  return list;
}

// The generators from `depth` on, for each of the frames made by those before.
void Evaluator::comprehend(const ast::Comprehension& node, std::size_t depth, std::vector<Frame> frames,
                           List& into) {
  if (depth == node.generators.size()) {
    for (Frame& frame : frames) into.items.push_back(eval(node.value, frame));
    return;
  }
  const ast::Generator& generator = node.generators[depth];
  const bool decides = std::any_of(node.generators.begin(), node.generators.end(),
                                   [](const ast::Generator& each) { return !each.conditions.empty(); });
  std::vector<Frame> inner;
  const auto go_on = [&] {
    keep_wanted(generator, inner);
    comprehend(node, depth + 1, std::exchange(inner, {}), into);
  };
  for (Frame& frame : frames) {
    SpaceContext where = context(frame.module[generator.source].span);
    for (const Value& item : items_of(where, eval(generator.source, frame), "the source of a comprehension")) {
      inner.push_back(frame_of(generator, item, frame));
      if (!decides || inner.size() == kTogether) go_on();
    }
  }
  if (!inner.empty()) go_on();
}

Evaluator::Frame Evaluator::frame_of(const ast::Generator& generator, const Value& item, const Frame& around) {
  const Span span = around.module[generator.source].span;
  Frame frame{around.module, std::make_shared<Environment>(around.environment)};
  if (generator.targets.size() == 1) {
    frame.environment->bind(generator.targets[0].text, item);
    return frame;
  }
  SpaceContext where = context(span);
  const std::vector<Value> members = items_of(where, item, "an item that is taken apart");
  if (members.size() != generator.targets.size())
    fail(error(DiagnosticKind::wrong_type, span,
               "items have " + std::to_string(members.size()) + " members, but " +
                   std::to_string(generator.targets.size()) + " names are given"));
  for (std::size_t i = 0; i < members.size(); ++i) frame.environment->bind(generator.targets[i].text, members[i]);
  return frame;
}

// Drops the items that a condition of the generator is against; a condition sees only what those before it left.
void Evaluator::keep_wanted(const ast::Generator& generator, std::vector<Frame>& frames) {
  for (ast::ExprId condition : generator.conditions) {
    if (frames.empty()) return;
    const Span span = frames.front().module[condition].span;
    std::vector<Value> answers;
    for (Frame& frame : frames) answers.push_back(eval(condition, frame));
    prepare(answers, span);
    std::vector<Frame> kept;
    for (std::size_t i = 0; i < frames.size(); ++i)
      if (control_number(answers[i], "the condition", span).value_or(1) != 0) kept.push_back(std::move(frames[i]));
    frames = std::move(kept);
  }
}

}  // namespace roux
