#include "compiler/sema/recursion.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "base/text.h"

namespace roux {
namespace {

class Search {
 public:
  explicit Search(const std::vector<MethodUse>& uses) {
    for (const MethodUse& use : uses) uses_of_[use.user].push_back(&use);
  }

  Diagnostics run() {
    for (const auto& [method, uses] : uses_of_) {
      enter(method);
      while (!way_.empty()) step();
    }
    std::sort(findings_.begin(), findings_.end(),
              [](const Diagnostic& a, const Diagnostic& b) { return a.span.begin < b.span.begin; });
    return std::move(findings_);
  }

 private:
  struct Visit {
    const ast::Method* method;
    std::size_t next = 0;  // of its uses
  };

  void enter(const ast::Method* method) {
    if (seen_.insert(method).second) way_.push_back({method});
  }

  // Depth first: takes the next use of the method at the end of the way.
  void step() {
    Visit& here = way_.back();
    const std::vector<const MethodUse*>& uses = uses_of_[here.method];
    if (here.next == uses.size()) return way_.pop_back();
    const MethodUse& use = *uses[here.next++];
    const auto at = std::find_if(way_.begin(), way_.end(), [&](const Visit& v) { return v.method == use.used; });
    if (at == way_.end())
      enter(use.used);
    else
      report(use, {at, way_.end()});
  }

  void report(const MethodUse& closing, const std::vector<Visit>& circle) {
    std::string calls = quoted(circle.front().method->name.text) + " calls ";
    for (std::size_t i = 1; i < circle.size(); ++i)
      calls += quoted(circle[i].method->name.text) + ", which calls ";
    calls += circle.size() == 1 ? "itself" : quoted(circle.front().method->name.text) + " again";
    findings_.push_back(error(DiagnosticKind::limit, closing.span, std::move(calls))
                            .hint("there is no recursion; use `fold` or a comprehension"));
  }

  std::map<const ast::Method*, std::vector<const MethodUse*>> uses_of_;
  std::set<const ast::Method*> seen_;
  std::vector<Visit> way_;
  Diagnostics findings_;
};

}  // namespace

Diagnostics find_recursion(const std::vector<MethodUse>& uses) { return Search(uses).run(); }

}  // namespace roux
