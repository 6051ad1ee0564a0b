/* The places of one graph: hnswlib's HierarchicalNSW and, beside it, which labels stand for them.
 *
 * hnswlib's own label map is emptied after every insert, and its locks by label are never taken: both would cost more memory than all
 * of this. Its delete marks are never set: inserting among marked neighbours loses the new point.
 * Invariant: entries has every label that was inserted or joined; mayAnswer() of a place is true while a label of it is live and ranked.
 * Must not know: JavaScript, walks. */
#pragma once

#include <stdexcept>
#include <string>
#include <unordered_map>

#include "forms.h"
#include "label-map.h"

namespace skein {

constexpr size_t PLACES_MAX = Entry::PLACE - 1;

class Places {
 public:
  using Graph = hnswlib::HierarchicalNSW<float>;

  Places(Space& space, size_t capacity, size_t m, size_t efConstruct, size_t seed)
      : graph(new Graph(&space, capacity, m, efConstruct, seed, false)) {
    forgetLabels();
    reserve(capacity);
  }

  /* Reads a file that was verified; what would lead out of memory is checked once more. */
  Places(Space& space, const std::string& path) : graph(new Graph(&space, path, false, 0, false)) {
    forgetLabels();
    const size_t count = graph->cur_element_count;
    if (count < 1 || count > PLACES_MAX || graph->max_elements_ < count) throw std::runtime_error("the file holds a count that cannot be");
    if (graph->data_size_ != space.get_data_size() || graph->size_data_per_element_ != graph->size_links_level0_ + graph->data_size_ + 8)
      throw std::runtime_error("the file holds vectors of another form");
    reserve(graph->max_elements_);
    for (size_t place = 0; place < count; place++) {
      checkLinks(static_cast<uint32_t>(place));
      const size_t label = graph->getExternalLabel(static_cast<uint32_t>(place));
      if (label > LABEL_MAX) throw std::runtime_error("the file holds a label that is out of range");
      if (entries.get(static_cast<uint32_t>(label)).known()) throw std::runtime_error("the file holds a label twice");
      addEntry(static_cast<uint32_t>(label), static_cast<uint32_t>(place));
    }
  }

  size_t count() const { return labels.size(); }

  void resize(size_t capacity) {
    graph->resizeIndex(capacity);
    reserve(capacity);
  }

  void insert(const char* kept, uint32_t label, bool ranked) {
    const uint32_t place = graph->addPoint(kept, label, -1);
    graph->label_lookup_.clear();
    addEntry(label, place);
    if (!ranked) hide(label);
  }

  /* @param front live, or the own label of a place */
  void join(uint32_t front, uint32_t label, bool ranked) {
    const uint32_t place = entries.get(front).place();
    entries.set(label, Entry::of(place, Entry::TWIN | (ranked ? 0u : Entry::UNRANKED)));
    if (!ranked) return;
    const bool before = mayAnswer(place);
    std::vector<uint32_t>& group = twins[place];
    twinAt[label] = group.size();
    group.push_back(label);
    marks[place] |= HAS_TWINS;
    if (!before) answering += 1;
  }

  /* For the own label of a place that is live and ranked. */
  void hide(uint32_t label) {
    const Entry entry = entries.get(label);
    entries.set(label, Entry{entry.bits | Entry::UNRANKED});
    stopAnswering(entry.place());
  }

  void remove(uint32_t label) {
    const Entry entry = entries.get(label);
    if (!entry.live()) return;
    const uint32_t place = entry.place();
    if (!entry.twin()) {
      entries.set(label, Entry{entry.bits | Entry::DEAD});
      if (!entry.unranked()) stopAnswering(place);
      return;
    }
    entries.set(label, Entry{});
    if (entry.unranked()) return;
    std::vector<uint32_t>& group = twins[place];
    const auto found = twinAt.find(label);
    group[found->second] = group.back();
    twinAt[group.back()] = found->second;
    group.pop_back();
    twinAt.erase(found);
    if (!group.empty()) return;
    twins.erase(place);
    marks[place] &= static_cast<uint8_t>(~HAS_TWINS);
    if (!mayAnswer(place)) answering -= 1;
  }

  bool mayAnswer(uint32_t place) const { return marks[place] != HIDDEN; }
  bool ownAnswers(uint32_t place) const { return (marks[place] & HIDDEN) == 0; }
  bool hasTwins(uint32_t place) const { return (marks[place] & HAS_TWINS) != 0; }

  const char* kept(uint32_t place) const { return graph->getDataByInternalId(place); }

  size_t bytes() const {
    return labels.capacity() * 4 + marks.capacity() + entries.bytes() + twins.size() * 96;
  }

  std::unique_ptr<Graph> graph;
  /* Own label of each place. */
  std::vector<uint32_t> labels;
  LabelMap entries;
  /* Live ranked twins of a place. */
  std::unordered_map<uint32_t, std::vector<uint32_t>> twins;
  /* Places that may answer. */
  size_t answering = 0;

 private:
  static constexpr uint8_t HIDDEN = 1, HAS_TWINS = 2;

  void forgetLabels() {
    std::unordered_map<hnswlib::labeltype, hnswlib::tableint>().swap(graph->label_lookup_);
    std::vector<std::mutex>().swap(graph->label_op_locks_);
  }

  void reserve(size_t capacity) {
    labels.reserve(capacity);
    marks.reserve(capacity);
  }

  void addEntry(uint32_t label, uint32_t place) {
    entries.set(label, Entry::of(place, 0));
    labels.push_back(label);
    marks.push_back(0);
    answering += 1;
  }

  /* The own label of a place is no answer any more. */
  void stopAnswering(uint32_t place) {
    marks[place] |= HIDDEN;
    if (!mayAnswer(place)) answering -= 1;
  }

  void checkLinks(uint32_t place) const {
    const int levels = graph->element_levels_[place];
    for (int level = 0; level <= levels; level++) {
      hnswlib::linklistsizeint* links = graph->get_linklist_at_level(place, level);
      const size_t size = graph->getListCount(links);
      if (size > (level == 0 ? graph->maxM0_ : graph->maxM_)) throw std::runtime_error("the file holds too many links");
      for (size_t i = 1; i <= size; i++)
        if (links[i] >= graph->cur_element_count || graph->element_levels_[links[i]] < level)
          throw std::runtime_error("the file holds a link to nowhere");
    }
    if (place == graph->enterpoint_node_ && levels < graph->maxlevel_) throw std::runtime_error("the file begins at a place too low");
  }

  std::vector<uint8_t> marks;
  /* Where a live ranked twin stands in its group: many thousands of copies of one vector may come and go. */
  std::unordered_map<uint32_t, size_t> twinAt;
};

}  // namespace skein
