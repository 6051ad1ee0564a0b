/* From a label to the place it stands for, in pages of 512 labels that exist only while they were used: two reads a look-up.
 *
 * Labels mostly ascend and lie close together, so this is 4 bytes a label where a hash map takes ten times that.
 * Must not know: vectors, links, JavaScript. */
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace skein {

constexpr uint32_t LABEL_MAX = 0x7fffffffu;

/* Place + 1, and what holds for the label. 0: the label was never here, or was a twin that is gone. */
struct Entry {
  static constexpr uint32_t TWIN = 1u << 29, UNRANKED = 1u << 30, DEAD = 1u << 31, PLACE = TWIN - 1;

  uint32_t bits = 0;

  static Entry of(uint32_t place, uint32_t flags) { return Entry{(place + 1) | flags}; }
  bool known() const { return bits != 0; }
  bool live() const { return bits != 0 && (bits & DEAD) == 0; }
  /* Live, and a walk or a scan may answer with it. */
  bool answers() const { return bits != 0 && (bits & (DEAD | UNRANKED)) == 0; }
  bool twin() const { return (bits & TWIN) != 0; }
  bool unranked() const { return (bits & UNRANKED) != 0; }
  uint32_t place() const { return (bits & PLACE) - 1; }
};

class LabelMap {
 public:
  static constexpr uint32_t SHIFT = 9, PAGE = 1u << SHIFT;

  Entry get(uint32_t label) const {
    const Entry* entries = page(label >> SHIFT);
    return entries == nullptr ? Entry{} : entries[label & (PAGE - 1)];
  }

  /* The entries of labels from number × PAGE on, or null where none was set. */
  const Entry* page(uint32_t number) const {
    const size_t at = static_cast<size_t>(number) - first_;
    return number < first_ || at >= pages_.size() ? nullptr : pages_[at].get();
  }

  void set(uint32_t label, Entry entry) {
    const uint32_t number = label >> SHIFT;
    if (pages_.empty()) first_ = number;
    if (number < first_) {
      std::vector<std::unique_ptr<Entry[]>> grown(pages_.size() + (first_ - number));
      for (size_t i = 0; i < pages_.size(); i++) grown[i + (first_ - number)] = std::move(pages_[i]);
      pages_ = std::move(grown);
      first_ = number;
    }
    const size_t at = number - first_;
    if (at >= pages_.size()) pages_.resize(at + 1);
    if (pages_[at] == nullptr) {
      pages_[at] = std::unique_ptr<Entry[]>(new Entry[PAGE]);
      used_ += 1;
    }
    pages_[at][label & (PAGE - 1)] = entry;
  }

  size_t bytes() const { return used_ * PAGE * sizeof(Entry) + pages_.capacity() * sizeof(void*); }

 private:
  /* Number of the page in front. */
  uint32_t first_ = 0;
  size_t used_ = 0;
  std::vector<std::unique_ptr<Entry[]>> pages_;
};

/* Bits of model/label-filter.ts, read in place. Every read is checked: another thread may own the memory. */
class Filter {
 public:
  static constexpr uint32_t SHIFT = 16, PAGE = 1u << SHIFT, WORDS = PAGE / 32;

  /* @param size how many labels are in it */
  Filter(const int32_t* pageOf, size_t pages, const uint32_t* bits, size_t words, size_t size)
      : pageOf_(pageOf), pages_(pages), bits_(bits), pagesOfBits_(words / WORDS), size_(size) {}

  size_t pages() const { return pages_; }
  size_t size() const { return size_; }

  /* The words of labels from number × PAGE on, or null where it has none. */
  const uint32_t* page(size_t number) const {
    if (number >= pages_) return nullptr;
    const size_t page = static_cast<uint32_t>(pageOf_[number]);
    return page < pagesOfBits_ ? bits_ + page * WORDS : nullptr;
  }

  bool passes(uint32_t label) const {
    const uint32_t* words = page(label >> SHIFT);
    return words != nullptr && (words[(label & (PAGE - 1)) >> 5] >> (label & 31) & 1u) != 0;
  }

 private:
  const int32_t* pageOf_;
  size_t pages_;
  const uint32_t* bits_;
  size_t pagesOfBits_;
  size_t size_;
};

inline uint32_t lowestBit(uint32_t word) {
#if defined(__GNUC__)
  return static_cast<uint32_t>(__builtin_ctz(word));
#else
  uint32_t bit = 0;
  while ((word >> bit & 1u) == 0) bit += 1;
  return bit;
#endif
}

}  // namespace skein
