// The fine numbers of the tensor at hand in one stage: one f64 for each of its rows, columns or elements.
// Computes those that follow from others when their phase begins; the rest is set by whoever finds it, and
// until then is what it is over nothing. Positions over the whole model lie with the plan's slots and are only
// shown here. Numbers of different rows and columns may be set from different threads at once.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/exec/slots.h"
#include "runtime/kernel/plan.h"

namespace roux {

class FineNumbers {
 public:
  FineNumbers(const Plan& plan, const SlotTable& slots, std::uint32_t stage, std::uint32_t tensor,
              std::uint64_t start);  // of the tensor, in the whole model

  const MatrixView& view() const { return view_; }
  // By row, column or element.
  std::vector<double>& operator[](SlotId slot) { return values_[slot]; }
  const double* data(SlotId slot) const;
  // The number of any slot for a row or a column; of one that is not fine, the tensor's.
  double get(SlotId slot, std::uint64_t index) const;

  void evaluate(std::uint32_t phase);

  // Of the arrays for one tensor.
  static std::uint64_t bytes(const Plan& plan, std::uint32_t stage, const MatrixView& view);

 private:
  const Plan& plan_;
  const SlotTable& slots_;
  std::uint32_t stage_, tensor_;
  std::uint64_t start_;
  MatrixView view_;
  std::vector<std::vector<double>> values_;  // by slot; empty where it lives elsewhere
};

// Slots whose numbers are made in this stage for each tensor at hand.
bool is_fine_in(const Plan& plan, const Slot& slot, std::uint32_t stage);

}  // namespace roux
