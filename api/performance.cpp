#include "api/performance.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "api/nonfinite.h"
#include "api/output.h"
#include "api/work.h"
#include "base/limits.h"
#include "base/text.h"
#include "compiler/interpret/domains.h"
#include "runtime/checkpoint/host_memory.h"
#include "runtime/kernel/semantics.h"

namespace roux {
namespace {

namespace fs = std::filesystem;

std::string file_name_of(const std::string& path) {
  return is_host_path(path) ? path : fs::path(path).filename().string();
}

// File names and settings may be any bytes; what is no UTF-8 is replaced.
std::string text_of_json(const nlohmann::json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// The dtypes of an output in the order of their bytes: "bf16", or "f32, bf16".
std::string dtypes_text(const OutputLayout& layout) {
  std::map<DType, std::uint64_t> bytes;
  for (const OutputTensor& tensor : layout.tensors) {
    std::uint64_t count = static_cast<std::uint64_t>(bytes_of(tensor.dtype));
    for (std::int64_t extent : tensor.shape) count *= static_cast<std::uint64_t>(extent);
    if (is_floating(tensor.dtype)) bytes[tensor.dtype] += count;
  }
  std::vector<std::pair<std::uint64_t, DType>> sorted;
  for (const auto& [dtype, count] : bytes) sorted.emplace_back(count, dtype);
  std::sort(sorted.rbegin(), sorted.rend());
  std::vector<std::string> names;
  for (const auto& [count, dtype] : sorted) names.emplace_back(name_of(dtype));
  return join(names, ", ");
}

// The files behind an input, each once: its own, or those that a view takes tensors from.
void add_parts(std::vector<Checkpoint::Ptr>& checkpoints, const Checkpoint::Ptr& input) {
  for (const Checkpoint::Ptr& part : input->parts()) add_parts(checkpoints, part);
  if (input->parts().empty() && std::find(checkpoints.begin(), checkpoints.end(), input) == checkpoints.end())
    checkpoints.push_back(input);
}

std::vector<NonfiniteTensor> nonfinite_tensors(const ExecuteResult& result) {
  std::vector<NonfiniteTensor> tensors;
  for (const Nonfinite& found : result.nonfinite) tensors.push_back({found.tensor, found.values, found.overflows});
  return tensors;
}

// Whether a path stands in a text as a whole, not as a part of a longer word.
bool names_path(const std::string& text, const std::string& path) {
  const auto is_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-'; };
  for (std::size_t at = text.find(path); at != std::string::npos; at = text.find(path, at + 1)) {
    const std::size_t end = at + path.size();
    if ((at == 0 || !is_word(text[at - 1])) && (end == text.size() || !is_word(text[end]))) return true;
  }
  return false;
}

// What happened while tensors were computed happened to the statement that wanted them.
Diagnostics placed(Diagnostics findings, Span span) {
  for (Diagnostic& finding : findings)
    if (!finding.span.valid() && finding.kind != DiagnosticKind::cancelled) finding.span = span;
  return findings;
}

bool is_measured(const Node& node) {
  return node.kind == NodeKind::reduction || node.kind == NodeKind::largest;
}

}  // namespace

Performance::Performance(Graph& graph, const Options& options, KernelCache& kernels, const Events& events,
                         const Arguments& arguments, RecipeFacts recipe)
    : graph_(graph), options_(options), kernels_(kernels), events_(events), arguments_(arguments), log_(events),
      recipe_(std::move(recipe)), inputs_(options.threads, arguments.models) {}

// --- inputs -----------------------------------------------------------------------------------------

// What an earlier save of this run made has to be in place before it can be read.
template <class F>
Status Performance::commit_if(F is_wanted) {
  const bool wanted = std::any_of(pending_.begin(), pending_.end(),
                                  [&](const auto& writer) { return is_wanted(writer->path()); });
  return wanted ? commit() : ok();
}

Status Performance::commit_if_named(const std::string& text) {
  return commit_if([&](const std::string& path) { return names_path(text, path); });
}

Result<std::uint32_t> Performance::open(const std::string& path, const std::string& space, Span span) {
  ROUX_DO(commit_if([&](const std::string& output) { return Inputs::same_path(output, path); }));
  const std::size_t known = inputs_.all().size();
  Result<std::uint32_t> source = inputs_.open(path, space, span);
  log_.opened(inputs_, known);
  return source;
}

Result<std::vector<std::string>> Performance::glob(const std::string& pattern, Span span) {
  ROUX_DO(commit_if([&](const std::string& output) { return glob_matches(pattern, output); }));
  return inputs_.glob(pattern, span);
}

// --- numbers ----------------------------------------------------------------------------------------

Result<ExecuteResult> Performance::run_plan(const Plan& plan, std::vector<CheckpointWriter*> writers,
                                            const std::string& activity) {
  ExecuteOptions options{.on_progress = nullptr, .cancel = events_.cancel};
  if (events_.on_progress)
    options.on_progress = [&](const Progress& progress) {
      events_.on_progress({activity, progress.bytes_done, progress.bytes_total, progress.seconds});
    };
  const std::vector<Checkpoint::Ptr> sources = sources_of_plan(plan, inputs_);
  const std::uint64_t kernels_before = kernels_.compiled_count();
  ROUX_TRY(ExecuteResult result, execute(plan, sources, writers, kernels_, options));
  ++report_.plans_run;
  report_.bytes_read += result.bytes_read;
  report_.bytes_written += result.bytes_written;
  const std::uint64_t new_kernels = kernels_.compiled_count() - kernels_before;
  report_.kernels_compiled += new_kernels;
  log_.ran(activity, result, new_kernels);
  return result;
}

// What a number is computed from, down to the reductions and order statistics at the edge of the tensors,
// operands first.
Result<std::vector<NodeId>> Performance::arithmetic_of(const std::vector<NodeId>& roots, Span span) const {
  std::set<NodeId> seen;
  std::vector<NodeId> pending = roots;
  while (!pending.empty()) {
    const NodeId id = pending.back();
    pending.pop_back();
    if (id == kNone || numbers_.contains(id) || !seen.insert(id).second) continue;
    if (!is_measured(graph_[id]))
      pending.insert(pending.end(), graph_[id].operands.begin(), graph_[id].operands.end());
  }
  if (seen.size() > limits::kGraphValues)
    return error(DiagnosticKind::limit, span,
                 "this is computed from more than " + std::to_string(limits::kGraphValues) + " numbers");
  return std::vector<NodeId>(seen.begin(), seen.end());
}

double Performance::apply(const Node& node) const {
  const auto value = [&](NodeId id) { return numbers_.at(id); };
  if (node.kind == NodeKind::operation) {
    double operands[3] = {0, 0, 0};
    for (std::size_t i = 0; i < node.operands.size(); ++i) operands[i] = value(node.operands[i]);
    return apply_scalar(node.op, operands[0], operands[1], operands[2]);
  }
  if (node.kind == NodeKind::linear) {
    double sum = node.operands[0] == kNone ? semantics::kLinearStart : value(node.operands[0]);
    for (std::size_t i = 1; i < node.operands.size(); i += 2)
      if (const double coefficient = value(node.operands[i]); coefficient != 0)
        sum += coefficient * value(node.operands[i + 1]);
    return sum;
  }
  ROUX_CHECK(node.kind == NodeKind::constant);
  return node.constant;
}

// All that can share a sweep does: one plan for each list of tensors that is measured.
Status Performance::measure(const std::vector<NodeId>& roots, Span span) {
  ROUX_TRY(const std::vector<NodeId> needed, arithmetic_of(roots, span));
  std::map<DomainId, std::vector<NodeId>> wanted;
  for (NodeId id : needed)
    if (is_measured(graph_[id])) wanted[graph_[id].domain].push_back(id);
  for (auto& [domain, nodes] : wanted) {
    ROUX_DO(measure(foreign_numbers_of(graph_, nodes, domain), span));
    ROUX_TRY(Plan plan, lower(graph_, inputs_.all(), {.outputs = {},
                                                      .numbers = nodes,
                                                      .domain = domain,
                                                      .known = known_below(nodes),
                                                      .carried = {},
                                                      .threads = options_.threads,
                                                      .optimize = options_.optimize,
                                                      .span = span}));
    ROUX_DO(fit_memory(plan, options_, span));
    Result<ExecuteResult> executed = run_plan(plan, {}, "measuring");
    if (!executed) return placed(std::move(executed).error(), span);
    for (std::size_t i = 0; i < nodes.size(); ++i) numbers_[nodes[i]] = executed->numbers[i];
  }
  for (NodeId id : needed)
    if (!numbers_.contains(id)) numbers_[id] = apply(graph_[id]);
  return ok();
}

// The numbers that are known already among those that these are computed from.
std::map<NodeId, double> Performance::known_below(const std::vector<NodeId>& roots) const {
  std::map<NodeId, double> known;
  for (NodeId id : reachable(graph_, roots))
    if (auto found = numbers_.find(id); found != numbers_.end()) known.insert(*found);
  return known;
}

Result<double> Performance::number(NodeId node, Span span) {
  ROUX_DO(measure({node}, span));
  return numbers_.at(node);
}

// --- outputs ----------------------------------------------------------------------------------------

Result<PreparedOutput> Performance::prepare(const OutputWish& wish) {
  return prepare_output(graph_, inputs_, wish, options_, [&](NodeId node) { return number(node, wish.span); });
}

std::vector<Checkpoint::Ptr> Performance::files_behind(NodeId node) const {
  const NodeId roots[] = {node};
  std::vector<Checkpoint::Ptr> files;
  for (std::uint32_t source : sources_of(graph_, roots)) add_parts(files, inputs_.all()[source]);
  return files;
}

// The recipe, its parameters, the version and the digests of the inputs; nothing of this machine or hour.
Performance::Metadata Performance::metadata(const std::vector<Checkpoint::Ptr>& files,
                                            const std::vector<Digest>& digests) const {
  nlohmann::json inputs = nlohmann::json::array();
  for (std::size_t i = 0; i < files.size(); ++i) {
    nlohmann::json input = {{"name", file_name_of(files[i]->path())}, {"xxh3-128", digests[i].hex}};
    if (!digests[i].whole) input["of"] = "header";
    inputs.push_back(std::move(input));
  }
  Metadata metadata = {
      {"roux.version", std::string(version())},
      {"roux.recipe", recipe_.text},
      {"roux.parameters", text_of_json(recipe_.settings)},
      {"roux.inputs", text_of_json(inputs)},
  };
  if (!recipe_.imports.empty()) metadata["roux.imports"] = text_of_json(recipe_.imports);
  return metadata;
}

Status Performance::tell_nonfinite(const ExecuteResult& result, const std::string& what, bool refuse, Span span) {
  auto told = explain_nonfinite(result.nonfinite, what, refuse, span);
  if (!told) return ok();
  if (refuse) return *std::move(told);
  note(*std::move(told));
  return ok();
}

void Performance::tell_left() {
  for (const auto& writer : pending_) log_.left(*writer);
}

// All of it, up to the device. The digests of the inputs are taken on the way, and told in the headers.
Result<ExecuteResult> Performance::fill(CheckpointWriter& writer, const PreparedOutput& prepared,
                                        const std::vector<Checkpoint::Ptr>& files, const SaveRequest& request) {
  for (const Checkpoint::Ptr& file : files) file->begin_digest();
  Result<ExecuteResult> executed = run_plan(prepared.plan, {&writer}, request.path);
  if (!executed) return placed(std::move(executed).error(), request.span);
  ROUX_DO(tell_nonfinite(*executed, quoted(request.path), request.refuse_nonfinite, request.span));
  std::vector<Digest> digests;
  for (const Checkpoint::Ptr& file : files) {
    ROUX_TRY(digests.emplace_back(), file->fed_digest(options_.threads));
  }
  std::map<std::string, std::string> told = prepared.layout.metadata;
  for (const auto& [key, text] : metadata(files, digests)) told[key] = text;
  writer.set_metadata(std::move(told));
  ROUX_DO(writer.finish(options_.sync));
  return executed;
}

// Files alone are gone on with.
Status Performance::know_work(OutputLayout& layout, const SaveRequest& request) {
  if (is_host_path(request.path)) return ok();
  const NodeId value = request.value.get<Data>()->node;
  ROUX_TRY(OutputWork work, work_of(graph_, inputs_, value, request.in_f64, options_.threads));
  layout.work = std::move(work.text);
  layout.inputs = std::move(work.inputs);
  layout.resume = options_.resume;
  layout.sync_journal = options_.sync;
  return ok();
}

Status Performance::save(const SaveRequest& request) {
  const Data& value = *request.value.get<Data>();
  OutputWish wish{.value = &value, .path = request.path, .dtype = request.dtype,
                  .shard_bytes = request.shard_bytes, .overwrite = request.overwrite, .in_f64 = request.in_f64,
                  .metadata = {}, .span = request.span};
  // The digests are taken in the sweep; until then the longest that may be told of them keeps their room.
  const std::vector<Checkpoint::Ptr> files = files_behind(value.node);
  wish.metadata = metadata(files, std::vector<Digest>(files.size(), {.hex = std::string(32, '0'), .whole = false}));
  ROUX_TRY(PreparedOutput prepared, prepare(wish));
  ROUX_DO(check_output(prepared.layout, prepared.bytes, inputs_.all()));
  ROUX_DO(know_work(prepared.layout, request));
  ROUX_TRY(auto writer, CheckpointWriter::create(prepared.layout));
  if (prepared.layout.resume) log_.resumed(*writer);
  Result<ExecuteResult> filled = fill(*writer, prepared, files, request);
  if (!filled) log_.left(*writer);
  ROUX_TRY(const ExecuteResult result, std::move(filled));
  if (!result.largest_taken.empty() && events_.on_note)
    events_.on_note(roux::note(DiagnosticKind::integers_taken, request.span,
                               (result.largest_taken.size() == 1
                                    ? "the counter " + quoted(result.largest_taken[0]) + " differs"
                                    : format_count(result.largest_taken.size(), "counter") + " such as " +
                                          quoted(result.largest_taken[0]) + " differ") +
                                   "; the largest value was taken"));

  if (is_model(graph_, request.value))
    saved_.push_back({value, request.in_f64, prepared.plan.outputs[0].dtypes, report_.outputs.size()});
  report_.outputs.push_back({.path = request.path,
                             .tensors = prepared.layout.tensors.size(),
                             .bytes = prepared.bytes,
                             .dtype = dtypes_text(prepared.layout),
                             .score = std::nullopt,
                             .nonfinite = nonfinite_tensors(result)});
  pending_.push_back(std::move(writer));
  return ok();
}

void Performance::begin(RecipeFacts recipe) {
  recipe_ = std::move(recipe);
  pending_.clear();
  saved_.clear();
  report_ = {};
  inputs_.forget_changed();
}

// A result in memory: to the host, and to what this recipe loads from now on.
void Performance::hand_over(const std::string& path, const HostModel& model) {
  inputs_.provide(path, model);
  for (SavedOutput& output : report_.outputs)
    if (output.path == path) output.model = model;
}

Status Performance::commit() {
  for (const auto& writer : pending_) log_.putting_in_place(writer->path());  // last: it may throw
  ROUX_DO(put_all_in_place(pending_));
  for (const auto& writer : pending_) {
    inputs_.forget(writer->path());
    if (const HostModel* model = writer->host_model()) hand_over(writer->path(), *model);
  }
  pending_.clear();
  return ok();
}

}  // namespace roux
