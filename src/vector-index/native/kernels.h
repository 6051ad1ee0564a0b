/* Sums over vectors: the innermost loops of everything.
 *
 * Twice each: with AVX2, FMA and F16C, and in plain C++ in lanes that compilers turn into whatever vectors the processor has.
 * Built with -ffp-contract=off: only what is written as a fused operation is one, so the float64 sums have the bits of model/distance.ts.
 * Must not know: graphs, labels, JavaScript. */
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__AVX2__) && defined(__FMA__) && defined(__F16C__)
#define SKEIN_AVX2 1
#include <immintrin.h>
#else
#define SKEIN_AVX2 0
#endif

#if defined(__GNUC__)
#define SKEIN_PREFETCH(address) __builtin_prefetch(address)
#else
#define SKEIN_PREFETCH(address) ((void)(address))
#endif

namespace skein {

constexpr size_t LANES = 16;

/* ---- half precision ---- */

inline float floatOfHalf(uint16_t half) {
#if SKEIN_AVX2
  return _cvtsh_ss(half);
#else
  // The exponent is moved by a product, which also takes subnormals right.
  uint32_t bits = static_cast<uint32_t>(half & 0x7fffu) << 13;
  float value;
  std::memcpy(&value, &bits, 4);
  value *= 5.192296858534828e33f;  // 2^112
  std::memcpy(&bits, &value, 4);
  bits |= static_cast<uint32_t>(half & 0x8000u) << 16;
  std::memcpy(&value, &bits, 4);
  return value;
#endif
}

inline void floatsOfHalves(const uint16_t* halves, float scale, size_t n, float* floats) {
  size_t i = 0;
#if SKEIN_AVX2
  const __m256 factor = _mm256_set1_ps(scale);
  for (; i + 8 <= n; i += 8) {
    const __m256 eight = _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(halves + i)));
    _mm256_storeu_ps(floats + i, _mm256_mul_ps(eight, factor));
  }
#endif
  for (; i < n; i++) floats[i] = floatOfHalf(halves[i]) * scale;
}

/* Nearest, ties to even. |value| must be below 65,520. */
inline uint16_t halfOfFloat(float value) {
#if SKEIN_AVX2
  return static_cast<uint16_t>(_cvtss_sh(value, _MM_FROUND_TO_NEAREST_INT));
#else
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  const uint32_t sign = (bits >> 16) & 0x8000u;
  bits &= 0x7fffffffu;
  if (bits < 0x38800000u) {
    // Subnormal: whole multiples of 2^-24; the addition of 0.5 leaves them in the lowest bits, rounded.
    float rest;
    std::memcpy(&rest, &bits, 4);
    rest += 0.5f;
    std::memcpy(&bits, &rest, 4);
    return static_cast<uint16_t>(sign | (bits - 0x3f000000u));
  }
  bits += 0xfffu + ((bits >> 13) & 1u);
  return static_cast<uint16_t>(sign | ((bits - 0x38000000u) >> 13));
#endif
}

#if SKEIN_AVX2

inline float sumOf(__m256 a) {
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

inline int64_t sumOf(__m256i a) {
  const __m256i wide = _mm256_add_epi64(_mm256_cvtepi32_epi64(_mm256_castsi256_si128(a)),
                                        _mm256_cvtepi32_epi64(_mm256_extracti128_si256(a, 1)));
  const __m128i half = _mm_add_epi64(_mm256_castsi256_si128(wide), _mm256_extracti128_si256(wide, 1));
  return _mm_cvtsi128_si64(half) + _mm_extract_epi64(half, 1);
}

/* One step of eight of a sum: of products, or of squared differences. */
struct Products {
  static __m256 step(__m256 a, __m256 b, __m256 sum) { return _mm256_fmadd_ps(a, b, sum); }
  static float one(float a, float b) { return a * b; }
};
struct Squares {
  static __m256 step(__m256 a, __m256 b, __m256 sum) {
    const __m256 d = _mm256_sub_ps(a, b);
    return _mm256_fmadd_ps(d, d, sum);
  }
  static float one(float a, float b) { return (a - b) * (a - b); }
};

template <typename Step>
inline float sumFloats(const float* a, const float* b, size_t n) {
  __m256 s0 = _mm256_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
  size_t i = 0;
  for (; i + 32 <= n; i += 32) {
    s0 = Step::step(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i), s0);
    s1 = Step::step(_mm256_loadu_ps(a + i + 8), _mm256_loadu_ps(b + i + 8), s1);
    s2 = Step::step(_mm256_loadu_ps(a + i + 16), _mm256_loadu_ps(b + i + 16), s2);
    s3 = Step::step(_mm256_loadu_ps(a + i + 24), _mm256_loadu_ps(b + i + 24), s3);
  }
  for (; i + 8 <= n; i += 8) s0 = Step::step(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i), s0);
  float sum = sumOf(_mm256_add_ps(_mm256_add_ps(s0, s1), _mm256_add_ps(s2, s3)));
  for (; i < n; i++) sum += Step::one(a[i], b[i]);
  return sum;
}

inline __m256 halves(const uint16_t* a) { return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(a))); }

/* n is a multiple of 8. `scale` belongs to b. */
template <typename Step>
inline float sumHalves(const float* a, const uint16_t* b, float scale, size_t n) {
  const __m256 factor = _mm256_set1_ps(scale);
  __m256 s0 = _mm256_setzero_ps(), s1 = s0;
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    s0 = Step::step(_mm256_loadu_ps(a + i), _mm256_mul_ps(halves(b + i), factor), s0);
    s1 = Step::step(_mm256_loadu_ps(a + i + 8), _mm256_mul_ps(halves(b + i + 8), factor), s1);
  }
  if (i < n) s0 = Step::step(_mm256_loadu_ps(a + i), _mm256_mul_ps(halves(b + i), factor), s0);
  return sumOf(_mm256_add_ps(s0, s1));
}

template <typename Step>
inline float sumHalves(const uint16_t* a, float scaleOfA, const uint16_t* b, float scale, size_t n) {
  const __m256 factorOfA = _mm256_set1_ps(scaleOfA), factor = _mm256_set1_ps(scale);
  __m256 sum = _mm256_setzero_ps();
  for (size_t i = 0; i < n; i += 8)
    sum = Step::step(_mm256_mul_ps(halves(a + i), factorOfA), _mm256_mul_ps(halves(b + i), factor), sum);
  return sumOf(sum);
}

inline __m256i wide(const int8_t* a) { return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(a))); }
inline __m256i wide(const int16_t* a) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(a)); }

/* n is a multiple of 16; no lane may leave 32 bits (forms.h sees to it). */
template <typename A>
inline int64_t sumIntegers(const A* a, const int8_t* b, size_t n) {
  __m256i s0 = _mm256_setzero_si256(), s1 = s0;
  size_t i = 0;
  for (; i + 32 <= n; i += 32) {
    s0 = _mm256_add_epi32(s0, _mm256_madd_epi16(wide(a + i), wide(b + i)));
    s1 = _mm256_add_epi32(s1, _mm256_madd_epi16(wide(a + i + 16), wide(b + i + 16)));
  }
  if (i < n) s0 = _mm256_add_epi32(s0, _mm256_madd_epi16(wide(a + i), wide(b + i)));
  return sumOf(s0) + sumOf(s1);
}

/* The four lanes of model/distance.ts, in its order. Products of two float32 are exact in float64, so fusing them changes nothing. */
inline double dotInLanes(const float* a, const float* b, size_t n) {
  __m256d sum = _mm256_setzero_pd();
  size_t i = 0;
  for (; i + 4 <= n; i += 4)
    sum = _mm256_fmadd_pd(_mm256_cvtps_pd(_mm_loadu_ps(a + i)), _mm256_cvtps_pd(_mm_loadu_ps(b + i)), sum);
  double s[4];
  _mm256_storeu_pd(s, sum);
  for (; i < n; i++) s[0] += static_cast<double>(a[i]) * b[i];
  return s[0] + s[1] + (s[2] + s[3]);
}

inline double squaresInLanes(const float* a, const float* b, size_t n) {
  __m256d sum = _mm256_setzero_pd();
  size_t i = 0;
  for (; i + 4 <= n; i += 4) {
    const __m256d d = _mm256_sub_pd(_mm256_cvtps_pd(_mm_loadu_ps(a + i)), _mm256_cvtps_pd(_mm_loadu_ps(b + i)));
    sum = _mm256_add_pd(sum, _mm256_mul_pd(d, d));
  }
  double s[4];
  _mm256_storeu_pd(s, sum);
  for (; i < n; i++) {
    const double d = static_cast<double>(a[i]) - b[i];
    s[0] += d * d;
  }
  return s[0] + s[1] + (s[2] + s[3]);
}

#else

struct Products {
  template <typename T>
  static T one(T a, T b) { return a * b; }
};
struct Squares {
  template <typename T>
  static T one(T a, T b) { return (a - b) * (a - b); }
};

template <typename Step>
inline float sumFloats(const float* a, const float* b, size_t n) {
  float s[LANES] = {0};
  size_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (size_t j = 0; j < LANES; j++) s[j] += Step::one(a[i + j], b[i + j]);
  float sum = 0;
  for (size_t j = 0; j < LANES; j++) sum += s[j];
  for (; i < n; i++) sum += Step::one(a[i], b[i]);
  return sum;
}

template <typename Step>
inline float sumHalves(const float* a, const uint16_t* b, float scale, size_t n) {
  float s[8] = {0};
  for (size_t i = 0; i < n; i += 8)
    for (size_t j = 0; j < 8; j++) s[j] += Step::one(a[i + j], floatOfHalf(b[i + j]) * scale);
  return (s[0] + s[1]) + (s[2] + s[3]) + ((s[4] + s[5]) + (s[6] + s[7]));
}

template <typename Step>
inline float sumHalves(const uint16_t* a, float scaleOfA, const uint16_t* b, float scale, size_t n) {
  float s[8] = {0};
  for (size_t i = 0; i < n; i += 8)
    for (size_t j = 0; j < 8; j++) s[j] += Step::one(floatOfHalf(a[i + j]) * scaleOfA, floatOfHalf(b[i + j]) * scale);
  return (s[0] + s[1]) + (s[2] + s[3]) + ((s[4] + s[5]) + (s[6] + s[7]));
}

template <typename A>
inline int64_t sumIntegers(const A* a, const int8_t* b, size_t n) {
  int64_t sum = 0;
  for (size_t i = 0; i < n; i += 16) {
    // Sixteen products stay far below 2^31.
    int32_t part = 0;
    for (size_t j = 0; j < 16; j++) part += static_cast<int32_t>(a[i + j]) * b[i + j];
    sum += part;
  }
  return sum;
}

template <typename Step>
inline double sumInLanes(const float* a, const float* b, size_t n) {
  double s[4] = {0};
  size_t i = 0;
  for (; i + 4 <= n; i += 4)
    for (size_t j = 0; j < 4; j++) s[j] += Step::one(static_cast<double>(a[i + j]), static_cast<double>(b[i + j]));
  for (; i < n; i++) s[0] += Step::one(static_cast<double>(a[i]), static_cast<double>(b[i]));
  return s[0] + s[1] + (s[2] + s[3]);
}
inline double dotInLanes(const float* a, const float* b, size_t n) { return sumInLanes<Products>(a, b, n); }
inline double squaresInLanes(const float* a, const float* b, size_t n) { return sumInLanes<Squares>(a, b, n); }

#endif

}  // namespace skein
