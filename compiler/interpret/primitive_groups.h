// The primitives that work on tensors (primitives_data.cpp) and on files (primitives_files.cpp), declared
// for the one table in primitives.cpp. Their signatures and documentation are in stdlib/.
#pragma once

#include "compiler/interpret/evaluator.h"

namespace roux::primitives {

// Reductions: with `over` inside one value; of a list, or of several plain arguments, across them.
Value sum(Evaluator& evaluator, const PrimitiveCall& call);
Value count(Evaluator& evaluator, const PrimitiveCall& call);
Value minimum(Evaluator& evaluator, const PrimitiveCall& call);
Value maximum(Evaluator& evaluator, const PrimitiveCall& call);
Value dot(Evaluator& evaluator, const PrimitiveCall& call);
Value size(Evaluator& evaluator, const PrimitiveCall& call);
Value largest(Evaluator& evaluator, const PrimitiveCall& call);
Value top(Evaluator& evaluator, const PrimitiveCall& call);
Value ordinal(Evaluator& evaluator, const PrimitiveCall& call);

Value where(Evaluator& evaluator, const PrimitiveCall& call);
Value uniform(Evaluator& evaluator, const PrimitiveCall& call);
Value normal(Evaluator& evaluator, const PrimitiveCall& call);
Value bernoulli(Evaluator& evaluator, const PrimitiveCall& call);
Value lone_stream(Evaluator& evaluator, const PrimitiveCall& call);

Value load(Evaluator& evaluator, const PrimitiveCall& call);
Value load_all(Evaluator& evaluator, const PrimitiveCall& call);
Value align(Evaluator& evaluator, const PrimitiveCall& call);
Value save(Evaluator& evaluator, const PrimitiveCall& call);
Value command(Evaluator& evaluator, const PrimitiveCall& call);

}  // namespace roux::primitives
