// Numbers that only tensors tell: when they are computed, which together, and the lines that wait for them.
#include <utility>

#include "base/limits.h"
#include "compiler/interpret/evaluator.h"
#include "compiler/interpret/failure.h"
#include "compiler/interpret/pending.h"

namespace roux {
namespace {

constexpr std::size_t kWaitingLines = 256;

void add_deferred(const std::vector<Value>& values, const Graph& graph, std::vector<NodeId>& nodes) {
  for (const Value& value : values) {
    const std::vector<NodeId> more = deferred_numbers(value, graph);
    nodes.insert(nodes.end(), more.begin(), more.end());
  }
}

bool fits_one_plan(const Graph& graph, const std::vector<NodeId>& nodes) {
  return reachable(graph, nodes).size() <= limits::kGraphValues / 2;
}

}  // namespace

// One measurement for all that is needed, all that waits, and what costs no sweep of its own: as long as that is
// not more than one plan may hold.
void Evaluator::need(std::vector<NodeId> nodes, Span span) {
  if (host_.rehearsing()) return;
  std::erase_if(nodes, [&](NodeId node) { return host_.is_known(node); });
  if (nodes.empty()) return;
  std::vector<NodeId> together = nodes;
  for (const WaitingLine& line : waiting_) add_deferred(line.parts, graph_, together);
  const std::vector<NodeId> riders = riders_of(together);
  together.insert(together.end(), riders.begin(), riders.end());
  unwrap(host_.measure(fits_one_plan(graph_, together) ? together : nodes, span));
  print_waiting();
}

std::vector<NodeId> Evaluator::riders_of(const std::vector<NodeId>& needed) const {
  Riders riders(graph_, host_, needed);
  for (const Environment* names : {here_, static_cast<const Environment*>(recipe_.get())})
    for (; names && names != root_.get(); names = names->parent())
      for (const auto& [name, value] : names->values())
        if (!riders.look_into(value)) return riders.found();
  return riders.found();
}

void Evaluator::prepare(const std::vector<Value>& values, Span span) {
  if (host_.rehearsing()) return;
  std::vector<NodeId> nodes;
  add_deferred(values, graph_, nodes);
  if (fits_one_plan(graph_, nodes)) need(std::move(nodes), span);  // else one by one, when they are looked at
}

Value Evaluator::resolved(const Value& value, Span span) {
  if (host_.rehearsing()) return value;
  const std::vector<NodeId> deferred = deferred_numbers(value, graph_);
  if (deferred.empty()) return value;
  need(deferred, span);
  return put_in(value);
}

// The value with its deferred numbers replaced by what they were measured to be.
Value Evaluator::put_in(const Value& value) {
  if (auto* data = value.get<Data>(); data && data->space == Space::number && graph_.is_deferred(data->node)) {
    const double number = unwrap(host_.number(data->node, {}));
    return graph_[data->node].type == ValueType::mask ? Value(number != 0) : Value(number);
  }
  const auto put_in_all = [&](const std::vector<Value>& items) {
    std::vector<Value> all;
    for (const Value& item : items) all.push_back(put_in(item));
    return all;
  };
  if (auto* list = value.get<List>()) return List{put_in_all(list->items)};
  if (auto* tuple = value.get<Tuple>()) return Tuple{put_in_all(tuple->items)};
  if (auto* record = value.get<Record>()) {
    Record known;
    for (const auto& [name, item] : record->fields) known.fields.emplace_back(name, put_in(item));
    return known;
  }
  return value;
}

// --- texts ------------------------------------------------------------------------------------------

void Evaluator::check_printable(const Value& value, Span span) const {
  for_each_item(value, [&](const Value& item) {
    auto* data = item.get<Data>();
    if (data && data->space == Space::number && graph_[data->node].level != Level::recipe)
      fail(error(DiagnosticKind::too_fine, span,
                 "what is printed must be one value for the recipe, got " + describe_kind(item, graph_))
               .hint("reduce it first, e.g. with `over = model`"));
  });
}

std::string Evaluator::text_of(const Value& value, Span span) {
  check_printable(value, span);
  return to_text(resolved(value, span), graph_);
}

Result<Value> Evaluator::computed(const Value& value) {
  try {
    return resolved(value, {});
  } catch (Failure& failure) {
    return std::move(failure.diagnostics);
  }
}

void Evaluator::print(std::vector<Value> parts, Span span) {
  bool is_open = !waiting_.empty();
  for (const Value& part : parts) {
    check_printable(part, span);
    for (NodeId node : deferred_numbers(part, graph_)) is_open = is_open || !host_.is_known(node);
  }
  waiting_.push_back({std::move(parts), span});
  if (host_.rehearsing() || !is_open || waiting_.size() >= kWaitingLines) print_waiting();
}

void Evaluator::print_waiting() {
  const std::vector<WaitingLine> lines = std::exchange(waiting_, {});
  if (lines.empty()) return;
  std::vector<NodeId> nodes;
  for (const WaitingLine& line : lines) add_deferred(line.parts, graph_, nodes);
  if (fits_one_plan(graph_, nodes)) need(std::move(nodes), lines.front().span);
  for (const WaitingLine& line : lines) {
    std::vector<NodeId> own;
    add_deferred(line.parts, graph_, own);
    need(std::move(own), line.span);
    std::string text;
    for (const Value& part : line.parts) text += to_text(host_.rehearsing() ? part : put_in(part), graph_);
    host_.print(text);
  }
}

// Before a statement's failure is told, and at the end.
void Evaluator::finish(Diagnostics& findings) {
  try {
    print_waiting();
  } catch (const Failure& failure) {
    if (findings.empty()) findings = failure.diagnostics;  // else the same has failed before
  }
}

}  // namespace roux
