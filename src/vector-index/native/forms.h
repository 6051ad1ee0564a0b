/* How vectors are kept, and the distances between what is kept and between a query and what is kept.
 *
 *   none      float32 × dimension, as hnswlib-node keeps them
 *   float16   half × dimension, zeros up to a multiple of 8 · float32 scale: the largest component lies from 2^14 to 2^15 of it
 *   int8      int8 × dimension, zeros up to a multiple of 16 · float32 scale · int32 sum of their squares
 *
 * The sizes are also in scale.ts, keptBytes(). int8 distances are those between the vectors that the bytes stand for: with the length of
 * the vector before rounding in their place a neighbour's error would grow with its distance from the origin, not from the query.
 * Must not know: graphs, labels, JavaScript. */
#pragma once

#include <algorithm>
#include <limits>
#include <vector>

#include "hnswlib.h"
#include "kernels.h"

namespace skein {

enum class Form { None, Float16, Int8 };
enum class Distance { Cosine, Dot, Euclid };

struct Shape {
  size_t dimension;
  /* Components with the zeros behind them. */
  size_t padded;
  bool product;
};

inline const Shape& shapeOf(const void* parameter) { return *static_cast<const Shape*>(parameter); }

inline float scaleBehind(const void* kept, size_t bytes) {
  float scale;
  std::memcpy(&scale, static_cast<const char*>(kept) + bytes, 4);
  return scale;
}

inline int32_t squaresBehind(const int8_t* kept, size_t padded) {
  int32_t squares;
  std::memcpy(&squares, kept + padded + 4, 4);
  return squares;
}

/* ---- between two that are kept: what hnswlib asks while it inserts ---- */

inline float distanceFloats(const void* a, const void* b, const void* parameter) {
  const Shape& shape = shapeOf(parameter);
  const float *x = static_cast<const float*>(a), *y = static_cast<const float*>(b);
  if (shape.product) return 1.0f - sumFloats<Products>(x, y, shape.dimension);
  return sumFloats<Squares>(x, y, shape.dimension);
}

inline float distanceHalves(const void* a, const void* b, const void* parameter) {
  const Shape& shape = shapeOf(parameter);
  const float scaleOfA = scaleBehind(a, shape.padded * 2), scale = scaleBehind(b, shape.padded * 2);
  const uint16_t *x = static_cast<const uint16_t*>(a), *y = static_cast<const uint16_t*>(b);
  if (shape.product) return 1.0f - sumHalves<Products>(x, scaleOfA, y, scale, shape.padded);
  return sumHalves<Squares>(x, scaleOfA, y, scale, shape.padded);
}

inline float distanceBytes(const void* a, const void* b, const void* parameter) {
  const Shape& shape = shapeOf(parameter);
  const int8_t *x = static_cast<const int8_t*>(a), *y = static_cast<const int8_t*>(b);
  const double scaleOfA = scaleBehind(a, shape.padded), scale = scaleBehind(b, shape.padded);
  const double product = scaleOfA * scale * static_cast<double>(sumIntegers(x, y, shape.padded));
  if (shape.product) return static_cast<float>(1.0 - product);
  const double squares = scaleOfA * scaleOfA * squaresBehind(x, shape.padded) + scale * scale * squaresBehind(y, shape.padded);
  return static_cast<float>(std::max(0.0, squares - 2.0 * product));
}

/* ---- a query and what is kept: finer than between two that are kept ---- */

/* An int8 query has 16 bits, fewer in very many dimensions so that no lane of eight leaves 32 bits. */
struct IntegerQuery {
  double scale;
  double squares;
  const int16_t* values;
};

inline float toQueryHalves(const void* query, const void* kept, const void* parameter) {
  const Shape& shape = shapeOf(parameter);
  const float scale = scaleBehind(kept, shape.padded * 2);
  const float* x = static_cast<const float*>(query);
  const uint16_t* y = static_cast<const uint16_t*>(kept);
  if (shape.product) return 1.0f - sumHalves<Products>(x, y, scale, shape.padded);
  return sumHalves<Squares>(x, y, scale, shape.padded);
}

inline double productToQuery(const IntegerQuery& query, const int8_t* kept, size_t padded) {
  return query.scale * scaleBehind(kept, padded) * static_cast<double>(sumIntegers(query.values, kept, padded));
}

inline double squaresToQuery(const IntegerQuery& query, const int8_t* kept, size_t padded) {
  const double scale = scaleBehind(kept, padded);
  const double squares = query.squares + scale * scale * squaresBehind(kept, padded);
  return std::max(0.0, squares - 2.0 * productToQuery(query, kept, padded));
}

inline float toQueryBytes(const void* query, const void* kept, const void* parameter) {
  const Shape& shape = shapeOf(parameter);
  const IntegerQuery& x = *static_cast<const IntegerQuery*>(query);
  const int8_t* y = static_cast<const int8_t*>(kept);
  if (shape.product) return static_cast<float>(1.0 - productToQuery(x, y, shape.padded));
  return static_cast<float>(squaresToQuery(x, y, shape.padded));
}

/* A query in the shape that toQuery() takes it. */
class Query {
 public:
  void prepareFloats(const float* vector, double factor, const Shape& shape) {
    floats_.assign(shape.padded, 0.0f);
    for (size_t i = 0; i < shape.dimension; i++) floats_[i] = static_cast<float>(vector[i] * factor);
    data_ = floats_.data();
  }

  void prepareIntegers(const float* vector, double factor, const Shape& shape) {
    integers_.assign(shape.padded, 0);
    double most = 0;
    for (size_t i = 0; i < shape.dimension; i++) most = std::max(most, std::fabs(vector[i] * factor));
    const double steps = std::min(32767.0, std::floor(1.35e8 / static_cast<double>(shape.padded)));
    integer_.scale = most == 0 ? 1.0 : most / steps;
    double squares = 0;
    for (size_t i = 0; i < shape.dimension; i++) {
      const double step = std::nearbyint(vector[i] * factor / integer_.scale);
      integers_[i] = static_cast<int16_t>(step);
      squares += step * step;
    }
    integer_.squares = squares * integer_.scale * integer_.scale;
    integer_.values = integers_.data();
    data_ = &integer_;
  }

  const void* data() const { return data_; }
  const float* floats() const { return floats_.data(); }
  const IntegerQuery& integer() const { return integer_; }

 private:
  std::vector<float> floats_;
  std::vector<int16_t> integers_;
  IntegerQuery integer_{};
  const void* data_ = nullptr;
};

/* One form of one distance: hnswlib's SpaceInterface, and what else is done with vectors. */
class Space : public hnswlib::SpaceInterface<float> {
 public:
  Space(Form form, Distance distance, size_t dimension) : form_(form), distance_(distance) {
    const size_t group = form == Form::None ? 1 : form == Form::Float16 ? 8 : 16;
    shape_ = {dimension, (dimension + group - 1) / group * group, distance == Distance::Dot};
    decoded_.resize(dimension);
  }

  Form form() const { return form_; }
  Distance distance() const { return distance_; }
  size_t dimension() const { return shape_.dimension; }
  bool like(const Space& other) const {
    return form_ == other.form_ && distance_ == other.distance_ && shape_.dimension == other.shape_.dimension;
  }

  size_t get_data_size() override {
    if (form_ == Form::Float16) return shape_.padded * 2 + 4;
    return form_ == Form::Int8 ? shape_.padded + 8 : shape_.dimension * 4;
  }

  hnswlib::DISTFUNC<float> get_dist_func() override {
    if (form_ == Form::Float16) return distanceHalves;
    return form_ == Form::Int8 ? distanceBytes : distanceFloats;
  }

  void* get_dist_func_param() override { return &shape_; }

  hnswlib::DISTFUNC<float> toQuery() const {
    if (form_ == Form::Float16) return toQueryHalves;
    return form_ == Form::Int8 ? toQueryBytes : distanceFloats;
  }

  void prepare(Query& query, const float* vector, double factor) const {
    if (form_ == Form::Int8) query.prepareIntegers(vector, factor, shape_);
    else query.prepareFloats(vector, factor, shape_);
  }

  /* Writes vector × factor as it is kept. */
  void encode(const float* vector, double factor, char* kept) const {
    if (form_ == Form::None) {
      float* to = reinterpret_cast<float*>(kept);
      for (size_t i = 0; i < shape_.dimension; i++) to[i] = static_cast<float>(vector[i] * factor);
      return;
    }
    double most = 0;
    for (size_t i = 0; i < shape_.dimension; i++) most = std::max(most, std::fabs(vector[i] * factor));
    if (form_ == Form::Float16) encodeHalves(vector, factor, most, kept);
    else encodeBytes(vector, factor, most, kept);
  }

  void decode(const char* kept, float* vector) const {
    if (form_ == Form::None) {
      std::memcpy(vector, kept, shape_.dimension * 4);
    } else if (form_ == Form::Float16) {
      const float scale = scaleBehind(kept, shape_.padded * 2);
      floatsOfHalves(reinterpret_cast<const uint16_t*>(kept), scale, shape_.dimension, vector);
    } else {
      const float scale = scaleBehind(kept, shape_.padded);
      for (size_t i = 0; i < shape_.dimension; i++) vector[i] = static_cast<float>(kept[i] * static_cast<double>(scale));
    }
  }

  /* Is what a scan measures certainly greater than `most`? A first look in float32, several times cheaper: false where that cannot tell.
   *
   * A float32 sum of n terms, each rounded up to three times before, is off by less than (n + 4) · 2^-23 of the sum of their amounts
   * (Higham 2002, 3.1, twice over). Of squares that is the sum; of products with a copy of length 1 at most the length of the query. */
  bool isBeyond(const float* vector, double length, const char* kept, double most) const {
    if (form_ != Form::None || distance_ == Distance::Dot || !(most < std::numeric_limits<double>::infinity())) return false;
    const float* floats = reinterpret_cast<const float*>(kept);
    const double share = static_cast<double>(shape_.dimension + 4) * std::ldexp(1.0, -23);
    if (distance_ == Distance::Euclid) {
      const double squares = sumFloats<Squares>(vector, floats, shape_.dimension);
      // Squares below the least float32 are lost.
      return std::isfinite(squares) && squares * (1 - share) - share * 1e-30 > most * most;
    }
    if (!(length < 1e30)) return false;
    return -static_cast<double>(sumFloats<Products>(vector, floats, shape_.dimension)) - share * (length + 1e-30) > most;
  }

  /* What a scan measures (native-graph.ts, ScanBlock). `query` was prepared with factor 1. */
  double measure(const float* vector, const Query& query, const char* kept) {
    const bool euclid = distance_ == Distance::Euclid;
    if (form_ == Form::Int8) {
      const int8_t* bytes = reinterpret_cast<const int8_t*>(kept);
      if (euclid) return std::sqrt(squaresToQuery(query.integer(), bytes, shape_.padded));
      return -productToQuery(query.integer(), bytes, shape_.padded);
    }
    const float* floats = reinterpret_cast<const float*>(kept);
    if (form_ == Form::Float16) {
      decode(kept, decoded_.data());
      floats = decoded_.data();
    }
    if (euclid) return std::sqrt(squaresInLanes(vector, floats, shape_.dimension));
    return -dotInLanes(vector, floats, shape_.dimension);
  }

  /* The same of kept × factor in float32. */
  double measureScaled(const float* vector, const char* kept, double factor) {
    decode(kept, decoded_.data());
    for (size_t i = 0; i < shape_.dimension; i++) decoded_[i] = static_cast<float>(decoded_[i] * factor);
    if (distance_ == Distance::Euclid) return std::sqrt(squaresInLanes(vector, decoded_.data(), shape_.dimension));
    return -dotInLanes(vector, decoded_.data(), shape_.dimension);
  }

 private:
  void encodeHalves(const float* vector, double factor, double most, char* kept) const {
    int exponent = 0;
    std::frexp(most, &exponent);
    const double scale = most == 0 ? 1.0 : std::ldexp(1.0, exponent - 15);
    uint16_t* to = reinterpret_cast<uint16_t*>(kept);
    for (size_t i = 0; i < shape_.padded; i++)
      to[i] = i < shape_.dimension ? halfOfFloat(static_cast<float>(vector[i] * factor / scale)) : 0;
    const float stored = static_cast<float>(scale);
    std::memcpy(kept + shape_.padded * 2, &stored, 4);
  }

  void encodeBytes(const float* vector, double factor, double most, char* kept) const {
    const float scale = most == 0 ? 1.0f : static_cast<float>(most / 127.0);
    int32_t squares = 0;
    for (size_t i = 0; i < shape_.padded; i++) {
      const double step = i < shape_.dimension ? std::nearbyint(vector[i] * factor / scale) : 0.0;
      const int value = static_cast<int>(std::max(-127.0, std::min(127.0, step)));
      kept[i] = static_cast<char>(static_cast<int8_t>(value));
      squares += value * value;
    }
    std::memcpy(kept + shape_.padded, &scale, 4);
    std::memcpy(kept + shape_.padded + 4, &squares, 4);
  }

  const Form form_;
  const Distance distance_;
  Shape shape_;
  std::vector<float> decoded_;
};

}  // namespace skein
