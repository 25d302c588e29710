// A table of safetensors files that no checkpoint can be, each with what has to be said of it. The reader is held
// against it, and so is the command.
#pragma once

#include <string>
#include <vector>

#include "tests/support/hostile_files.h"

namespace roux::testing {

struct RefusedFile {
  const char* name;
  std::string bytes;
  std::vector<std::string> words;  // that the message or the hint names, beside the file
  bool has_unknown_dtype = false;  // a kind of its own; all others are no sound checkpoint
};

inline std::string file_of(std::string_view header, std::size_t data_bytes) {
  return safetensors_bytes(header, std::string(data_bytes, '\0'));
}
inline std::string nested(int depth) {
  return "{\"x\":{\"deep\":" + std::string(static_cast<std::size_t>(depth), '[') +
         std::string(static_cast<std::size_t>(depth), ']') + "}}";
}
inline std::string field(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return "{\"x\":{\"dtype\":" + dtype + ",\"shape\":" + shape + ",\"data_offsets\":" + offsets +
         "}}";
}

inline const std::vector<RefusedFile>& refused_files() {
  static const std::vector<RefusedFile> kFiles = {
      {"Empty", "", {"has 0 bytes"}},
      {"ShorterThanItsLength", "abc", {"has 3 bytes", "8"}},
      {"HeaderBeyondTheFile", little_endian(1000) + "{}", {"1000", "only 2 bytes follow", "cut off"}},
      {"HeaderOverTheLimit", little_endian(UINT64_MAX) + "{}", {"at most 100000000"}},
      {"HeaderEmpty", file_of("", 0), {"header is empty"}},
      {"HeaderNotJson", file_of("{hello}", 0), {"header is not JSON", "byte"}},
      {"HeaderCutJson", file_of("{\"x\":{", 0), {"header is not JSON"}},
      {"HeaderByteOrderMark", file_of("\xEF\xBB\xBF{}", 0), {"expected `{`"}},
      {"HeaderNotUtf8", file_of("{\"\xFF\":1}", 0), {"header is not JSON"}},
      {"HeaderIsList", file_of("[]", 0), {"expected `{`"}},
      {"HeaderWithMore", file_of("{}{}", 0), {"header is not JSON"}},
      {"HeaderGoesOnBehindAZero", file_of(std::string_view("{}\0}", 4), 0), {"header is not JSON", "byte 3 is zero"}},
      {"TruncatedData",
       file_of("{" + entry("x", "F32", "[4]", 0, 16) + "}", 10),
       {"`x`", "byte 16", "only 10", "cut off"}},
      {"DataLeftOver", file_of("{" + entry("x", "F32", "[4]", 0, 16) + "}", 20), {"20 bytes", "16"}},
      {"NameTwice",
       file_of("{" + entry("x", "F32", "[1]", 0, 4) + "," + entry("x", "F32", "[1]", 4, 8) + "}", 8),
       {"`x` twice"}},
      {"FieldTwice",
       file_of("{\"x\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}", 0),
       {"`dtype` twice", "`x`"}},
      {"MetadataTwice", file_of("{\"__metadata__\":{},\"__metadata__\":{}}", 0), {"twice"}},
      {"Overlap",
       file_of("{" + entry("a", "F32", "[2]", 0, 8) + "," + entry("b", "F32", "[2]", 4, 12) + "}",
               12),
       {"`b`", "inside `a`", "8"}},
      {"Gap",
       file_of("{" + entry("a", "F32", "[1]", 0, 4) + "," + entry("b", "F32", "[1]", 8, 12) + "}",
               12),
       {"`b`", "gap of 4 bytes"}},
      {"BeginsLate", file_of("{" + entry("a", "F32", "[1]", 4, 8) + "}", 8), {"`a`", "gap"}},
      {"OffsetsReversed", file_of("{" + entry("a", "F32", "[1]", 8, 4) + "}", 8), {"`a`", "before"}},
      {"OffsetsNegative",
       file_of(field("\"F32\"", "[1]", "[-4,0]"), 4),
       {"`data_offsets`", "`x`", "negative"}},
      {"OffsetsHuge",
       file_of(field("\"F32\"", "[1]", "[0,18446744073709551615]"), 4),
       {"18446744073709551615", "2^63"}},
      {"OffsetsBeyondUint64",
       file_of(field("\"F32\"", "[1]", "[0,99999999999999999999]"), 4),
       {"too large"}},
      {"OneOffset", file_of(field("\"F32\"", "[1]", "[0]"), 4), {"holds 1 numbers", "expected 2"}},
      {"ThreeOffsets", file_of(field("\"F32\"", "[1]", "[0,4,8]"), 4), {"more than 2"}},
      {"ShapeDisagrees",
       file_of("{" + entry("x", "F32", "[5]", 0, 16) + "}", 16),
       {"`x` is F32 [5]", "20 bytes", "span 16"}},
      {"ShapeOverflows",
       file_of("{" + entry("x", "F32", "[4294967296,4294967296]", 0, 0) + "}", 0),
       {"overflows"}},
      {"BytesOverflow",
       file_of("{" + entry("x", "F64", "[2305843009213693952]", 0, 0) + "}", 0),
       {"overflows"}},
      {"OverflowBesideZero",
       file_of("{" + entry("x", "U8", "[0,4294967296,4294967296]", 0, 0) + "}", 0),
       {"overflows"}},
      {"ShapeFraction", file_of(field("\"F32\"", "[1.5]", "[0,4]"), 4), {"`shape`", "fraction"}},
      {"ShapeNegative", file_of(field("\"F32\"", "[-1]", "[0,4]"), 4), {"`shape`", "negative"}},
      {"ShapeText", file_of(field("\"F32\"", "\"big\"", "[0,4]"), 4), {"`shape`", "a string"}},
      {"ShapeObject", file_of(field("\"F32\"", "{}", "[0,4]"), 4), {"`shape`", "an object"}},
      {"ShapeNested", file_of(field("\"F32\"", "[[]]", "[0,4]"), 4), {"`shape`", "list of lists"}},
      {"TooManyAxes",
       file_of(field(
                   "\"F32\"",
                   "[1" +
                       [] {
                         std::string ones;
                         for (int i = 0; i < 70; ++i) ones += ",1";
                         return ones;
                       }() +
                       "]",
                   "[0,4]"),
               4),
       {"`x`", "64 axes"}},
      {"DTypeUnknown",
       file_of("{" + entry("x", "F4", "[2]", 0, 1) + "}", 1),
       {"`x`", "`F4`", "BF16"},
       true},
      {"DTypeNumber", file_of(field("3", "[1]", "[0,4]"), 4), {"`dtype`", "a number"}},
      {"DTypeList", file_of(field("[]", "[1]", "[0,4]"), 4), {"`dtype`", "a list"}},
      {"FieldMissing",
       file_of("{\"x\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4),
       {"`data_offsets`", "missing"}},
      {"TensorIsNumber", file_of("{\"x\":7}", 0), {"`x` is a number"}},
      {"TensorIsList", file_of("{\"x\":[]}", 0), {"`x` is a list"}},
      {"MetadataNotStrings", file_of("{\"__metadata__\":{\"a\":1}}", 0), {"`__metadata__`", "`a`"}},
      {"MetadataNested", file_of("{\"__metadata__\":{\"a\":{}}}", 0), {"an object", "`a`"}},
      {"DeepNesting", file_of(nested(100'000), 0), {"deeper than 16"}},
      {"NameTooLong",
       file_of("{" + entry(std::string(5000, 'n'), "F32", "[1]", 0, 4) + "}", 4),
       {"name"}},
      {"GitLfsPointer",
       "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n",
       {"Git LFS pointer", "git lfs pull"}},
      {"WebPage", "<!DOCTYPE html><html></html>", {"web page"}},
      {"Zip", "PK\x03\x04 and some more of it", {"PyTorch"}},
  };
  return kFiles;
}

}  // namespace roux::testing
