// `roux lsp`, spoken to as an editor does: messages on standard input, answers on standard output.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/golden/checkpoints.h"
#include "tests/support/files.h"
#include "tests/support/paths.h"
#include "tests/support/process.h"

namespace roux::testing {
namespace {

using Json = nlohmann::json;

constexpr char kRecipe[] =
    "base = load(\"checkpoints/base\")\n"
    "models = load_all(\"checkpoints/ft-*\", base = base)\n"
    "method half(m: model) -> model = base + 0.5 * (m - base)\n"
    "merged = ties(models, k = 20%)\n"
    "save(half(merged), \"out/\u00e9\U0001F600\") ; print(nrom(merged, over = model))\n";

class Lsp : public ::testing::Test {
 protected:
  Lsp() { write_golden_checkpoints(folder_.path()); }

  std::string uri(const std::string& name = "a.merge") const { return "file://" + (folder_ / name).string(); }

  static std::string framed(const Json& message) {
    const std::string body = message.dump();
    return "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  static Json request(int id, const std::string& method, const Json& params) {
    return {{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", params}};
  }
  static Json notice(const std::string& method, const Json& params = Json::object()) {
    return {{"jsonrpc", "2.0"}, {"method", method}, {"params", params}};
  }
  Json open(const std::string& text, const std::string& name = "a.merge") const {
    return notice("textDocument/didOpen",
                  {{"textDocument", {{"uri", uri(name)}, {"languageId", "roux"}, {"version", 1}, {"text", text}}}});
  }
  Json at(int line, int character) const {
    return {{"textDocument", {{"uri", uri()}}}, {"position", {{"line", line}, {"character", character}}}};
  }

  // What the server says to these messages, between a greeting and a farewell.
  std::vector<Json> talk(const std::vector<Json>& messages, const Json& capabilities = Json::object()) {
    std::string input = framed(request(1, "initialize", {{"rootUri", "file://" + folder_.path().string()},
                                                         {"capabilities", capabilities}}));
    for (const Json& message : messages) input += framed(message);
    input += framed(request(99, "shutdown", nullptr)) + framed(notice("exit"));
    const ProcessResult result =
        run_process({(binary_dir() / "roux").string(), "lsp"},
                    {.input = input, .environment = {"XDG_CACHE_HOME=" + (folder_ / "cache").string()}});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    std::vector<Json> answers;
    for (std::size_t begin = 0; begin < result.out.size();) {
      const std::size_t end = result.out.find("\r\n\r\n", begin);
      const std::size_t length = std::stoul(result.out.substr(begin + 16, end - begin - 16));
      answers.push_back(Json::parse(result.out.substr(end + 4, length)));
      begin = end + 4 + length;
    }
    return answers;
  }
  static Json result_of(const std::vector<Json>& answers, int id) {
    for (const Json& answer : answers)
      if (answer.contains("id") && answer["id"] == id) return answer.value("result", Json(answer.value("error", Json())));
    ADD_FAILURE() << "no answer to request " << id;
    return nullptr;
  }
  static Json published(const std::vector<Json>& answers) {
    Json last;
    for (const Json& answer : answers)
      if (answer.value("method", "") == "textDocument/publishDiagnostics") last = answer["params"]["diagnostics"];
    return last;
  }

  TemporaryFolder folder_;
};

TEST_F(Lsp, says_what_it_can_do) {
  const Json capabilities = result_of(talk({}), 1)["capabilities"];
  for (const char* what : {"hoverProvider", "definitionProvider", "documentFormattingProvider", "documentSymbolProvider"})
    EXPECT_EQ(capabilities[what], true) << what;
  EXPECT_EQ(capabilities["positionEncoding"], "utf-16");
  const Json of_utf8 = result_of(talk({}, {{"general", {{"positionEncodings", {"utf-8", "utf-16"}}}}}), 1);
  EXPECT_EQ(of_utf8["capabilities"]["positionEncoding"], "utf-8");
}

TEST_F(Lsp, publishes_what_check_finds_with_code_place_and_hint) {
  const Json found = published(talk({open(kRecipe)}));
  ASSERT_EQ(found.size(), 1u) << found.dump(2);
  EXPECT_EQ(found[0]["code"], "E0201");
  EXPECT_EQ(found[0]["severity"], 1);
  EXPECT_NE(found[0]["message"].get<std::string>().find("nearest is `norm`"), std::string::npos);
  // Behind an é (one unit of UTF-16) and a face (two).
  EXPECT_EQ(found[0]["range"]["start"], (Json{{"line", 4}, {"character", 38}}));
  EXPECT_EQ(found[0]["range"]["end"], (Json{{"line", 4}, {"character", 42}}));
}

TEST_F(Lsp, relates_the_places_that_a_finding_speaks_of) {
  const Json found = published(talk({open("a = 1\na = 2\nprint(a)\n")}));
  ASSERT_EQ(found.size(), 1u);
  ASSERT_EQ(found[0]["relatedInformation"].size(), 1u);
  const Json related = found[0]["relatedInformation"][0];
  EXPECT_EQ(related["location"]["uri"], uri());
  EXPECT_EQ(related["location"]["range"]["start"]["line"], 0);
}

TEST_F(Lsp, forgets_findings_that_are_mended_or_closed) {
  const Json change = notice("textDocument/didChange", {{"textDocument", {{"uri", uri()}, {"version", 2}}},
                                                        {"contentChanges", {{{"text", "print(1)\n"}}}}});
  EXPECT_TRUE(published(talk({open("print(nrom)\n"), change})).empty());
  const Json closed = notice("textDocument/didClose", {{"textDocument", {{"uri", uri()}}}});
  EXPECT_TRUE(published(talk({open("print(nrom)\n"), closed})).empty());
}

TEST_F(Lsp, hovers_over_methods_arguments_and_values) {
  const auto answers = talk({open(kRecipe), request(2, "textDocument/hover", at(3, 11)),
                             request(3, "textDocument/hover", at(3, 22)), request(4, "textDocument/hover", at(3, 15)),
                             request(5, "textDocument/hover", at(4, 6)), request(6, "textDocument/hover", at(0, 5))});
  const auto text = [&](int id) { return result_of(answers, id)["contents"]["value"].get<std::string>(); };
  EXPECT_NE(text(2).find("TIES-Merging"), std::string::npos) << text(2);
  EXPECT_NE(text(2).find("arXiv:2306.01708"), std::string::npos);
  EXPECT_NE(text(3).find("k: "), std::string::npos) << text(3);
  EXPECT_NE(text(4).find("models: list[model]"), std::string::npos) << text(4);
  EXPECT_NE(text(5).find("half(m: model) -> model"), std::string::npos) << text(5);
  EXPECT_TRUE(result_of(answers, 6).is_null()) << "an equals sign is nothing";
}

TEST_F(Lsp, hovers_over_names_inside_a_statement) {
  const std::string text = "## Doubles.\n## - times: how often\nmethod twice(x: number, times: number = 2) -> number = {\n"
                           "  all = times * x\n  all + 0\n}\ny = [f(i) for i in [1, 2]]\ng = z => z + 1\n";
  const auto answers = talk({open(text), request(2, "textDocument/hover", at(3, 9)), request(3, "textDocument/hover", at(4, 3)),
                             request(4, "textDocument/hover", at(6, 8)), request(5, "textDocument/hover", at(7, 10)),
                             request(6, "textDocument/hover", at(2, 13)), request(7, "textDocument/hover", at(6, 15))});
  const auto shown = [&](int id) { return result_of(answers, id)["contents"]["value"].get<std::string>(); };
  EXPECT_EQ(shown(2), "```roux\ntimes: number = 2\n```\nhow often\n\nof `twice`");
  EXPECT_EQ(shown(3), "```roux\nall = times * x\n```\n");
  EXPECT_EQ(shown(4), "```roux\ni\n```\nof each item of `[1, 2]`");
  EXPECT_EQ(shown(5), "```roux\nz\n```\nparameter of `z => z + 1`");
  EXPECT_EQ(shown(6), "```roux\nx: number\n```\nof `twice`") << "where it is bound";
  EXPECT_EQ(shown(7), shown(4));
}

TEST_F(Lsp, helps_with_the_signature_of_the_call_around) {
  write_file(folder_ / "more.merge", "## Twice it.\nmethod twice(a: any = \"é\", b: number = 2) -> number = b\n");
  const std::string text = "import \"more.merge\" as more\nx = lerp(1, t = [1, ";
  const auto answers = talk({open(text), request(2, "textDocument/signatureHelp", at(1, 9)),
                             request(3, "textDocument/signatureHelp", at(1, 20)),
                             request(4, "textDocument/signatureHelp", at(1, 3)),
                             open("import \"more.merge\" as more\nx = 1 |> more.twice("),
                             request(5, "textDocument/signatureHelp", at(1, 20)),
                             open("method f(a, "), request(6, "textDocument/signatureHelp", at(0, 12))});
  EXPECT_EQ(result_of(answers, 1)["capabilities"]["signatureHelpProvider"]["triggerCharacters"], (Json{"(", ","}));
  const Json lerp = result_of(answers, 2);
  EXPECT_EQ(lerp["signatures"][0]["label"], "lerp(a: any, b: any, t: number) -> any");
  EXPECT_EQ(lerp["signatures"][0]["parameters"][2]["label"], (Json{21, 30}));
  EXPECT_FALSE(lerp["signatures"][0]["documentation"]["value"].get<std::string>().empty());
  EXPECT_EQ(lerp["activeParameter"], 0);
  EXPECT_EQ(result_of(answers, 3)["activeParameter"], 2) << "named, inside a list";
  EXPECT_TRUE(result_of(answers, 4).is_null());
  const Json twice = result_of(answers, 5);
  EXPECT_EQ(twice["signatures"][0]["label"], "twice(a: any = \"é\", b: number = 2) -> number");
  EXPECT_EQ(twice["signatures"][0]["parameters"][1]["label"], (Json{20, 33})) << "units of UTF-16";
  EXPECT_EQ(twice["activeParameter"], 1) << "piped in";
  EXPECT_TRUE(result_of(answers, 6).is_null()) << "a definition is no call";
}

TEST_F(Lsp, tells_which_version_its_findings_are_of) {
  const Json change = notice("textDocument/didChange", {{"textDocument", {{"uri", uri()}, {"version", 7}}},
                                                        {"contentChanges", {{{"text", "print(2)\n"}}}}});
  Json last;
  for (const Json& answer : talk({open("print(nrom)\n"), change}))
    if (answer.value("method", "") == "textDocument/publishDiagnostics") last = answer["params"];
  EXPECT_EQ(last["version"], 7);
}

TEST_F(Lsp, says_in_its_own_words_what_is_wrong_with_parameters) {
  const auto answers =
      talk({open("print(1)\n"), request(2, "textDocument/hover", {{"textDocument", {{"uri", 5}}}}),
            request(3, "textDocument/hover", {{"textDocument", {{"uri", uri()}}}}),
            request(4, "textDocument/hover", {{"textDocument", {{"uri", uri()}}}, {"position", {{"line", -1}}}}),
            request(5, "textDocument/completion", Json::array({1})), request(6, "textDocument/formatting", {{"textDocument", 1}})});
  const char* const expected[] = {"`uri` must be a string, got number", "`position` is missing",
                                  "`line` must be a whole number of 0 or more, got -1", "`textDocument` is missing",
                                  "`textDocument` must be an object, got number"};
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(result_of(answers, i + 2)["code"], -32602);
    EXPECT_EQ(result_of(answers, i + 2)["message"], expected[i]);
  }
}

TEST_F(Lsp, says_what_came_in_place_of_a_message) {
  for (const auto& [input, shown] : std::vector<std::pair<std::string, std::string>>{
           {R"({"jsonrpc": "2.0", "id": 1, "method": "initialize"})" "\n", "got `{\"jsonrpc\": \"2.0\""},
           {"hello\n", "got `hello`"},
           {"Content-Length: 10\r\n\r\n{}", "got `Content-Length: 10`"},
           {"Content-Length: x\r\n\r\n{}", "got `Content-Length: x`"}}) {
    const ProcessResult result = run_process({(binary_dir() / "roux").string(), "lsp"}, {.input = input});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_EQ(result.out, "");
    EXPECT_NE(result.err.find("expected a whole message of the Language Server Protocol, " + shown), std::string::npos)
        << result.err;
  }
  EXPECT_EQ(run_process({(binary_dir() / "roux").string(), "lsp"}, {.input = ""}).err, "") << "the editor went";
}

TEST_F(Lsp, goes_to_definitions_here_in_imported_files_and_in_the_library) {
  write_file(folder_ / "more.merge", "method twice(x: number) -> number = 2 * x\n");
  const std::string text = "import \"more.merge\" as more\nx = more.twice(1)\ny = [x + i for i in 0..3]\nprint(mean(y))\n";
  const auto answers = talk({open(text), request(2, "textDocument/definition", at(2, 5)),
                             request(3, "textDocument/definition", at(2, 9)),
                             request(4, "textDocument/definition", at(1, 11)),
                             request(5, "textDocument/definition", at(0, 10)),
                             request(6, "textDocument/definition", at(3, 8))});
  EXPECT_EQ(result_of(answers, 2)["range"]["start"], (Json{{"line", 1}, {"character", 0}}));
  EXPECT_EQ(result_of(answers, 3)["range"]["start"], (Json{{"line", 2}, {"character", 15}}));
  EXPECT_EQ(result_of(answers, 4)["uri"], uri("more.merge"));
  EXPECT_EQ(result_of(answers, 4)["range"]["start"], (Json{{"line", 0}, {"character", 7}}));
  EXPECT_EQ(result_of(answers, 5)["uri"], uri("more.merge"));
  const std::string library = result_of(answers, 6)["uri"];
  EXPECT_TRUE(library.ends_with("/stdlib/mean.merge")) << library;
  EXPECT_NE(read_file(library.substr(7)).find("method mean("), std::string::npos);
}

TEST_F(Lsp, completes_though_the_line_does_not_parse_yet) {
  const std::string text = "base = load(\"checkpoints/base\")\nmodels = load_all(\"checkpoints/ft-*\", base = base)\n"
                           "merged = ties(mod";
  const auto labels = [&](const std::string& typed, int line, int character) {
    const auto answers = talk({open(typed), request(2, "textDocument/completion", at(line, character))});
    std::vector<std::string> all;
    const Json items = result_of(answers, 2)["items"];
    for (const Json& item : items) all.push_back(item["label"]);
    return all;
  };
  const auto has = [](const std::vector<std::string>& all, const std::string& label) {
    return std::find(all.begin(), all.end(), label) != all.end();
  };
  EXPECT_TRUE(has(labels(text, 2, 17), "models"));
  EXPECT_TRUE(has(labels("x = ti", 0, 6), "ties"));
  const std::string called = text.substr(0, text.size() - 3);
  EXPECT_TRUE(has(labels(called + "models, ", 2, 22), "k = "));
  EXPECT_TRUE(has(labels("a = load(\"checkpoints/b", 0, 23), "base"));
  EXPECT_TRUE(has(labels(text.substr(0, text.find("merged")) + "x = base[\"model.lay", 2, 19), "model.layers."));
}

TEST_F(Lsp, formats_and_lists_symbols) {
  const auto answers = talk({open("x=1\nmethod f(a:number)->number=a\nprint(f(x))\n"),
                             request(2, "textDocument/formatting", {{"textDocument", {{"uri", uri()}}}, {"options", {}}}),
                             request(3, "textDocument/documentSymbol", {{"textDocument", {{"uri", uri()}}}})});
  const Json edits = result_of(answers, 2);
  ASSERT_EQ(edits.size(), 1u);
  EXPECT_NE(edits[0]["newText"].get<std::string>().find("x = 1\n"), std::string::npos);
  EXPECT_EQ(edits[0]["range"]["end"], (Json{{"line", 3}, {"character", 0}}));
  const Json symbols = result_of(answers, 3);
  ASSERT_EQ(symbols.size(), 2u);
  EXPECT_EQ(symbols[0]["name"], "x");
  EXPECT_EQ(symbols[0]["detail"], "number");
  EXPECT_EQ(symbols[1]["kind"], 12);
}

TEST_F(Lsp, answers_what_it_does_not_understand_and_goes_on) {
  const auto answers =
      talk({request(2, "textDocument/rename", {}), request(3, "textDocument/hover", {{"textDocument", {{"uri", 5}}}}),
            request(4, "textDocument/hover", at(0, 0)), open("print(1)\n"),
            request(5, "textDocument/hover", {{"textDocument", {{"uri", uri()}}}, {"position", {{"line", -1}}}}),
            request(6, "textDocument/hover", at(7, 700))});
  EXPECT_EQ(result_of(answers, 2)["code"], -32601);
  EXPECT_EQ(result_of(answers, 3)["code"], -32602);
  EXPECT_EQ(result_of(answers, 4)["code"], -32602);
  EXPECT_TRUE(result_of(answers, 6).is_null());
  const ProcessResult noise = run_process({(binary_dir() / "roux").string(), "lsp"},
                                          {.input = "Content-Length: 3\r\n\r\n{{{Content-Length: x\r\n\r\n"});
  EXPECT_NE(noise.out.find("-32700"), std::string::npos);
  EXPECT_EQ(noise.exit_code, 1) << "it ended without `shutdown`";
}

}  // namespace
}  // namespace roux::testing
