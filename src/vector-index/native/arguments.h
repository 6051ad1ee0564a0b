/* What JavaScript gives, checked: numbers in their range, typed arrays of their kind, filters. A wrong one becomes an error there.
 *
 * A typed array whose memory was taken away has no elements. Nothing is copied: what is returned is valid for the running call.
 * Must not know: graphs. */
#pragma once

#include <napi.h>

#include <cmath>
#include <memory>
#include <string>

#include "label-map.h"

namespace skein {

[[noreturn]] inline void refuse(Napi::Env env, const std::string& message) { throw Napi::RangeError::New(env, message); }

inline double numberFrom(const Napi::Value& value, const char* name) {
  if (!value.IsNumber()) throw Napi::TypeError::New(value.Env(), std::string(name) + " is not a number");
  return value.As<Napi::Number>().DoubleValue();
}

inline size_t integerFrom(const Napi::Value& value, const char* name, size_t least, size_t most) {
  const double given = numberFrom(value, name);
  if (!(given >= static_cast<double>(least) && given <= static_cast<double>(most)) || given != std::floor(given))
    refuse(value.Env(), std::string(name) + " is out of range");
  return static_cast<size_t>(given);
}

inline uint32_t labelFrom(const Napi::Value& value) { return static_cast<uint32_t>(integerFrom(value, "label", 0, LABEL_MAX)); }

template <typename Element>
const Element* elementsOf(const Napi::Value& value, napi_typedarray_type type, const char* name, size_t& length) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != type)
    throw Napi::TypeError::New(value.Env(), std::string(name) + " is not a typed array of its kind");
  void* data = nullptr;
  napi_typedarray_type kind;
  if (napi_get_typedarray_info(value.Env(), value, &kind, &length, &data, nullptr, nullptr) != napi_ok)
    throw Napi::TypeError::New(value.Env(), std::string(name) + " cannot be read");
  if (data == nullptr) length = 0;
  return static_cast<const Element*>(data);
}

/* Reads nothing but sizes now; the bits are read in place later in the same call. */
class GivenFilter {
 public:
  explicit GivenFilter(const Napi::Value& value) {
    if (value.IsNull() || value.IsUndefined()) return;
    if (!value.IsObject()) throw Napi::TypeError::New(value.Env(), "the filter is not an object");
    const Napi::Object object = value.As<Napi::Object>();
    size_t pages = 0, words = 0;
    const int32_t* pageOf = elementsOf<int32_t>(object.Get("pageOf"), napi_int32_array, "pageOf", pages);
    const uint32_t* bits = elementsOf<uint32_t>(object.Get("bits"), napi_uint32_array, "bits", words);
    const size_t size = integerFrom(object.Get("size"), "size", 0, size_t{1} << 31);
    if (pages > (size_t{1} << 15)) refuse(value.Env(), "the filter has labels out of range");
    filter_ = std::unique_ptr<Filter>(new Filter(pageOf, pages, bits, words, size));
  }
  const Filter* get() const { return filter_.get(); }

 private:
  std::unique_ptr<Filter> filter_;
};

}  // namespace skein
