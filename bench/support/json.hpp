// Just enough JSON to write one result as one line.

#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace strait::bench {

class JsonObject {
 public:
  JsonObject& text(std::string_view key, std::string_view value) {
    begin(key);
    quote(value);
    return *this;
  }
  JsonObject& number(std::string_view key, double value) {
    begin(key);
    append(value);
    return *this;
  }
  JsonObject& integer(std::string_view key, std::uint64_t value) {
    begin(key);
    out_ += std::to_string(value);
    return *this;
  }
  JsonObject& boolean(std::string_view key, bool value) {
    begin(key);
    out_ += value ? "true" : "false";
    return *this;
  }
  JsonObject& numbers(std::string_view key, const std::vector<double>& values) {
    begin(key);
    out_ += '[';
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i != 0) out_ += ", ";
      append(values[i]);
    }
    out_ += ']';
    return *this;
  }
  std::string str() const { return "{" + out_ + "}"; }

 private:
  void begin(std::string_view key) {
    if (!out_.empty()) out_ += ", ";
    quote(key);
    out_ += ": ";
  }
  void quote(std::string_view text) {
    out_ += '"';
    for (const char c : text) {
      if (c == '"' || c == '\\') {
        out_ += '\\';
        out_ += c;
      } else if (static_cast<unsigned char>(c) < 0x20) {
        out_ += ' ';
      } else {
        out_ += c;
      }
    }
    out_ += '"';
  }
  void append(double value) {
    char buffer[32];
    std::snprintf(buffer, sizeof buffer, "%.6g", value);
    out_ += buffer;
  }

  std::string out_;
};

}  // namespace strait::bench
