// What is known of methods: for help, for completion, for documentation.
#include "api/engine_state.h"
#include "compiler/sema/types.h"

namespace roux {

MethodInfo info_of(const SourceMap& sources, const ast::Module& module, const ast::Method& method) {
  MethodInfo info{.name = method.name.text,
                  .signature = signature_text(sources, module, method),
                  .documentation = method.documentation,
                  .file = std::string(sources.name(module.source)),
                  .parameters = {}};
  for (const ast::Parameter& parameter : method.parameters) {
    ParameterInfo& made = info.parameters.emplace_back();
    made.name = parameter.name.text;
    if (parameter.type) made.type = to_text(*parameter.type);
    if (parameter.type) made.choices = choices_of(*parameter.type);
    if (parameter.default_value != ast::kNoExpr)
      made.default_value = std::string(sources.text(module[parameter.default_value].span));
  }
  return info;
}

std::vector<MethodInfo> Engine::methods() const {
  std::vector<MethodInfo> methods;
  for (const std::string& name : state_->library.names()) {
    const MethodRef method = state_->library.find(name);
    methods.push_back(info_of(state_->sources, *method.module, *method.method));
  }
  return methods;
}

}  // namespace roux
