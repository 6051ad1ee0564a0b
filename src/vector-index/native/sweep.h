/* Looking at labels one by one, in the order of labels, and counting: what needs no walk.
 *
 * Labels are gathered first, so that their vectors are on their way into the cache when their turn comes.
 * Must not know: JavaScript, the order in which labels were inserted. */
#pragma once

#include "places.h"

namespace skein {

struct ScanRange {
  /* Labels from `from` to below `to`. */
  size_t from, to;
  /* The greatest measure that is given. */
  double most;
};

/* What a look fills. */
struct Block {
  uint32_t* labels = nullptr;
  double* measures = nullptr;
  size_t room = 0;
  size_t given = 0;
  size_t looked = 0;
};

class Sweep {
 public:
  /* Looks at live ranked labels that pass, as many as the block has room for. @param filter null: all pass
   * @returns the next label to look at */
  size_t look(const Places& places, Space& space, const float* query, const ScanRange& range, const Filter* filter, Block& block) {
    places_ = &places;
    room_ = block.room;
    bytesAhead_ = std::min<size_t>(BYTES_AHEAD, places.graph->data_size_);
    gathered_.clear();
    const size_t next = filter == nullptr ? gatherAll(range.from, range.to) : gather(*filter, range.from, range.to);
    if (!gathered_.empty()) space.prepare(query_, query, 1);
    const double length = std::sqrt(dotInLanes(query, query, space.dimension()));
    for (size_t i = 0; i < gathered_.size(); i++) {
      if (i + AHEAD < gathered_.size()) prefetch(gathered_[i + AHEAD].place);
      if (space.isBeyond(query, length, places.kept(gathered_[i].place), range.most)) continue;
      const double measure = space.measure(query, query_, places.kept(gathered_[i].place));
      if (!(measure <= range.most)) continue;
      block.labels[block.given] = gathered_[i].label;
      block.measures[block.given++] = measure;
    }
    block.looked = gathered_.size();
    return next;
  }

 private:
  struct Gathered {
    uint32_t label, place;
  };

  static constexpr size_t AHEAD = 8, BYTES_AHEAD = 512;

  /* @returns false when there is no more room */
  bool consider(size_t label, Entry entry) {
    if (entry.answers()) gathered_.push_back({static_cast<uint32_t>(label), entry.place()});
    return gathered_.size() < room_;
  }

  size_t gatherAll(size_t from, size_t to) {
    for (size_t label = from; label < to;) {
      const size_t end = std::min(to, (label / LabelMap::PAGE + 1) * LabelMap::PAGE);
      const Entry* page = places_->entries.page(static_cast<uint32_t>(label >> LabelMap::SHIFT));
      if (page != nullptr)
        for (; label < end; label++)
          if (!consider(label, page[label & (LabelMap::PAGE - 1)])) return label + 1;
      label = end;
    }
    return to;
  }

  size_t gather(const Filter& filter, size_t from, size_t to) {
    const size_t last = std::min(to, filter.pages() * Filter::PAGE);
    for (size_t label = from; label < last;) {
      const uint32_t* bits = filter.page(label >> Filter::SHIFT);
      const size_t page = bits == nullptr ? Filter::PAGE : LabelMap::PAGE;
      const size_t end = std::min(last, (label / page + 1) * page);
      const Entry* entries = bits == nullptr ? nullptr : places_->entries.page(static_cast<uint32_t>(label >> LabelMap::SHIFT));
      if (entries != nullptr) {
        const size_t next = gatherPage(entries, bits, label, end);
        if (next < end || gathered_.size() >= room_) return next;
      }
      label = end;
    }
    return to;
  }

  /* Labels of one page of entries, from `from` to below `to`. @returns the next label to look at */
  size_t gatherPage(const Entry* entries, const uint32_t* bits, size_t from, size_t to) {
    for (size_t first = from / 32 * 32; first < to; first += 32) {
      for (uint32_t rest = bits[(first & (Filter::PAGE - 1)) / 32]; rest != 0; rest &= rest - 1) {
        const size_t label = first + lowestBit(rest);
        if (label < from || label >= to) continue;
        if (!consider(label, entries[label & (LabelMap::PAGE - 1)])) return label + 1;
      }
    }
    return to;
  }

  void prefetch(uint32_t place) const {
    const char* kept = places_->kept(place);
    for (size_t line = 0; line < bytesAhead_; line += 64) SKEIN_PREFETCH(kept + line);
  }

  const Places* places_ = nullptr;
  size_t room_ = 0;
  size_t bytesAhead_ = 0;
  std::vector<Gathered> gathered_;
  Query query_;
};

/* How many live ranked labels pass, `most` at most. */
inline size_t countMatches(const Places& places, const Filter& filter, size_t most) {
  size_t count = 0;
  for (size_t page = 0; page < filter.pages() && count < most; page++) {
    const uint32_t* bits = filter.page(page);
    if (bits == nullptr) continue;
    for (size_t word = 0; word < Filter::WORDS && count < most; word++)
      for (uint32_t rest = bits[word]; rest != 0; rest &= rest - 1)
        count += places.entries.get(static_cast<uint32_t>(page * Filter::PAGE + word * 32 + lowestBit(rest))).answers();
  }
  return std::min(count, most);
}

struct IncomingLinks {
  /* Places that may answer; of those, how many nobody links to on the ground level. */
  size_t live = 0, orphans = 0;
  size_t least = 0;
  double mean = 0;
};

inline IncomingLinks incomingLinks(const Places& places) {
  std::vector<uint16_t> incoming(places.count(), 0);
  for (size_t place = 0; place < incoming.size(); place++) {
    const hnswlib::linklistsizeint* links = places.graph->get_linklist0(static_cast<uint32_t>(place));
    const size_t size = places.graph->getListCount(const_cast<hnswlib::linklistsizeint*>(links));
    for (size_t i = 1; i <= size; i++)
      if (incoming[links[i]] < 0xffff) incoming[links[i]] += 1;
  }
  IncomingLinks found;
  double sum = 0;
  size_t least = 0xffff;
  for (size_t place = 0; place < incoming.size(); place++) {
    if (!places.mayAnswer(static_cast<uint32_t>(place))) continue;
    found.live += 1;
    sum += incoming[place];
    least = std::min<size_t>(least, incoming[place]);
    // Searches begin at the entry point: it needs no link.
    found.orphans += incoming[place] == 0 && place != places.graph->enterpoint_node_;
  }
  if (found.live == 0) return found;
  found.least = least;
  found.mean = sum / static_cast<double>(found.live);
  return found;
}

}  // namespace skein
