#include "compiler/interpret/align.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "compiler/interpret/domains.h"
#include "compiler/interpret/failure.h"
#include "runtime/checkpoint/aligned.h"
#include "runtime/checkpoint/tied.h"

namespace roux {
namespace {

using Place = ViewedTensor::Place;

const TensorInfo& info_of(const Place& place) { return place.checkpoint->tensors()[place.tensor]; }

std::string type_of(const Place& place) {
  const TensorInfo& info = info_of(place);
  return std::string(name_of(info.dtype)) + " " + format_shape(info.shape);
}

// Can stand in each other's place: floating tensors of any dtype, whole numbers of one.
bool same_kind(const TensorInfo& a, const TensorInfo& b) {
  return a.shape == b.shape && (a.dtype == b.dtype || (is_floating(a.dtype) && is_floating(b.dtype)));
}

// One row for each token: of another vocabulary where the rest of the shape is the same.
bool other_vocabulary(const TensorInfo& a, const TensorInfo& b) {
  return is_vocabulary(a.name) && a.shape.size() == b.shape.size() && !a.shape.empty() &&
         std::equal(a.shape.begin() + 1, a.shape.end(), b.shape.begin() + 1) && a.shape[0] != b.shape[0];
}

// A model of the list while it is aligned.
struct Aligning {
  Data data;
  Checkpoint::Ptr checkpoint;
  std::map<std::string, std::vector<Place>> tensors;  // as it will be, in canonical order

  std::optional<Place> own(const std::string& name) const {
    const auto index = checkpoint->find(name);
    if (!index) return std::nullopt;
    return Place{checkpoint, *index};
  }
  bool is_as_loaded() const {
    if (tensors.size() != checkpoint->tensors().size()) return false;
    return std::all_of(tensors.begin(), tensors.end(), [&](const auto& entry) {
      return entry.second.size() == 1 && entry.second[0].checkpoint == checkpoint;
    });
  }
};

class Aligner {
 public:
  Aligner(SpaceContext& context, const std::vector<Data>& models, const Data* base,
          const AlignPolicies& policies)
      : context_(context), policies_(policies) {
    for (const Data& model : models) models_.push_back(loaded(model));
    if (base) base_ = loaded(*base);
  }

  std::vector<Data> run() {
    require_base("missing", policies_.missing);
    require_base("integers", policies_.integers);
    require_base("shapes", policies_.shapes);
    require_base("vocab", policies_.vocab);
    for (const std::string& name : all_names()) place(name);
    if (std::any_of(objections_.begin(), objections_.end(), [](const auto& o) { return !o.second.tensors.empty(); }))
      refuse();
    tell_uses();
    return results();
  }

 private:
  // What one policy did, or forbids, in the order of the tensors.
  struct Uses {
    std::vector<std::string> tensors, checkpoints, details;
    void add(const std::string& tensor, const Checkpoint& in, std::string detail = "") {
      tensors.push_back(tensor);
      checkpoints.push_back(in.path());
      details.push_back(std::move(detail));
    }
  };

  Aligning loaded(const Data& data) {
    const Node& node = context_.graph[data.node];
    if (node.kind != NodeKind::source || context_.graph.domain(node.domain).is_part)
      fail(error(DiagnosticKind::wrong_type, context_.span, "only models as they were loaded can be aligned")
               .hint("align the models that this one is computed from, then compute it"));
    return {data, context_.host.share(node.attribute), {}};
  }

  void require_base(const std::string& option, const std::string& policy) {
    if (policy != "base" || base_) return;
    const std::string what = quoted(option + " = base");
    fail(error(DiagnosticKind::no_base, context_.span, what + " needs a base, and the models carry none in common")
             .hint("give one: `base = load(\"...\")`"));
  }

  std::set<std::string> all_names() const {
    std::set<std::string> names;
    const auto add = [&](const Aligning& from) {
      for (const TensorInfo& tensor : from.checkpoint->tensors()) names.insert(tensor.name);
    };
    for (const Aligning& model : models_) add(model);
    if (base_) add(*base_);
    return names;
  }

  const Aligning& reference() const { return base_ ? *base_ : models_[0]; }

  // Decides where every model takes this tensor from, or that none has it.
  void place(const std::string& name) {
    std::optional<Place> expected = reference().own(name);
    if (!expected && !allows_extra(name)) return;
    if (!expected) expected = first_holder(name);
    std::vector<Place> places;
    for (const Aligning& model : models_)
      if (const std::optional<Place> from = place_in(model, name, *expected)) places.push_back(*from);
    if (places.size() < models_.size()) return;  // left out everywhere
    if (!is_floating(info_of(*expected).dtype) && policies_.integers != "equal") return place_integers(name, places);
    for (std::size_t m = 0; m < models_.size(); ++m) models_[m].tensors[name] = {places[m]};
    if (base_) base_->tensors[name] = {*expected};
  }

  // A tensor that the reference lacks.
  bool allows_extra(const std::string& name) {
    for (const Aligning& model : models_)
      if (model.own(name)) used("extra", policies_.extra).add(name, *model.checkpoint);
    return policies_.extra == "copy";
  }

  Place first_holder(const std::string& name) const {
    for (const Aligning& model : models_)
      if (const auto own = model.own(name)) return *own;
    throw InternalError("a tensor of no model");
  }

  // Nothing: the tensor is left out everywhere.
  std::optional<Place> place_in(const Aligning& model, const std::string& name, const Place& expected) {
    const std::optional<Place> own = model.own(name);
    const bool extra = !reference().own(name);
    if (!own && extra) return expected;
    if (own && same_kind(info_of(*own), info_of(expected))) return own;
    const std::string option =
        !own ? "missing" : other_vocabulary(info_of(*own), info_of(expected)) ? "vocab" : "shapes";
    const std::string& policy = option == "missing" ? policies_.missing
                                : option == "vocab" ? policies_.vocab
                                                    : policies_.shapes;
    const bool from_base = policy == "base" && !extra;  // of what is extra the base has nothing to give
    used(option, policy == "base" && extra ? "error" : policy)
        .add(name, *model.checkpoint, own ? type_of(*own) + ", expected " + type_of(expected) : "");
    return from_base ? std::optional(expected) : std::nullopt;
  }

  void place_integers(const std::string& name, const std::vector<Place>& places) {
    std::vector<Place> from = {places[0]};
    if (policies_.integers == "max") from = places;
    if (policies_.integers == "base" && base_)
      if (const auto own = base_->own(name)) from = {*own};
    used("integers", policies_.integers).add(name, *from[0].checkpoint);
    for (Aligning& model : models_) model.tensors[name] = from;
    if (base_) base_->tensors[name] = from;
  }

  Uses& used(const std::string& option, const std::string& policy) {
    return policy == "error" ? objections_[option] : uses_[{option, policy}];
  }

  // --- what is said ---------------------------------------------------------------------------------

  static std::string where(const Uses& uses) {
    constexpr std::size_t kShown = 3;
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < uses.tensors.size() && i < kShown; ++i)
      parts.push_back(quoted(uses.tensors[i]) + " in " + quoted(uses.checkpoints[i]) +
                      (uses.details[i].empty() ? "" : " (" + uses.details[i] + ")"));
    const std::string text = join(parts, ", ");
    return uses.tensors.size() > kShown ? text + " and " + std::to_string(uses.tensors.size() - kShown) + " more"
                                        : text;
  }

  [[noreturn]] void refuse() {
    Diagnostics findings;
    const std::string than = quoted(reference().checkpoint->path());
    const auto object = [&](const char* option, DiagnosticKind kind, const std::string& what, const char* hint) {
      const Uses& uses = objections_[option];
      if (uses.tensors.empty()) return;
      const std::size_t count = uses.tensors.size();
      findings.push_back(error(kind, context_.span,
                               format_count(count, "tensor") + (count == 1 ? " is " : " are ") + what + ": " +
                                   where(uses))
                             .hint(hint)
                             .about(uses.tensors[0], {uses.checkpoints[0], reference().checkpoint->path()}));
    };
    object("missing", DiagnosticKind::missing_tensor, "missing that " + than + " has",
           "`missing = base` takes what is missing from the base, `missing = skip` leaves it out everywhere");
    object("extra", DiagnosticKind::missing_tensor, "not in " + than,
           "`extra = copy` keeps what only some have, `extra = skip` leaves it out");
    object("vocab", DiagnosticKind::shape_mismatch, "of another vocabulary than in " + than,
           "`vocab = base` takes the base's");
    object("shapes", DiagnosticKind::shape_mismatch, "of another shape than in " + than,
           "`shapes = base` takes the base's, `shapes = skip` leaves them out everywhere");
    throw Failure{std::move(findings)};
  }

  void tell_uses() {
    for (const auto& [policy, uses] : uses_) {
      const auto& [option, choice] = policy;
      const std::string name = option + " = " + choice;
      context_.host.count(name, uses.tensors.size());
      context_.host.note(note(DiagnosticKind::aligned, context_.span,
                              quoted(name) + " was used for " + format_count(uses.tensors.size(), "tensor") + ": " +
                                  where(uses))
                             .about(uses.tensors[0], {uses.checkpoints[0]}));
    }
  }

  // --- what comes out -------------------------------------------------------------------------------

  Data result_of(const Aligning& aligning) {
    if (aligning.is_as_loaded()) return aligning.data;
    std::vector<ViewedTensor> tensors;
    for (const auto& [name, places] : aligning.tensors) tensors.push_back({places});
    const std::uint32_t source = context_.host.add(view_of(aligning.checkpoint, std::move(tensors)), "model");
    Data data = aligning.data;
    data.node = context_.graph.source(source, context_.graph.intern(domain_of(context_.host.checkpoint(source))));
    return data;
  }

  std::vector<Data> results() {
    std::shared_ptr<const Data> base;
    if (base_) base = std::make_shared<const Data>(result_of(*base_));
    std::vector<Data> results;
    for (const Aligning& model : models_) {
      results.push_back(result_of(model));
      if (base) results.back().base = base;
    }
    return results;
  }

  SpaceContext& context_;
  const AlignPolicies& policies_;
  std::vector<Aligning> models_;
  std::optional<Aligning> base_;
  std::map<std::string, Uses> objections_;                      // by option
  std::map<std::pair<std::string, std::string>, Uses> uses_;    // by option and policy
};

}  // namespace

std::vector<Data> align(SpaceContext& context, const std::vector<Data>& models, const Data* base,
                        const AlignPolicies& policies) {
  if (models.empty()) return {};
  return Aligner(context, models, base, policies).run();
}

}  // namespace roux
