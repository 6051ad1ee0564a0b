/* The walk through a graph to the places nearest to a query, with what may be an answer tested on the way.
 *
 * Malkov & Yashunin 2018, algorithms 2 and 5, over hnswlib's links. Places that may not answer are walked through; only those that may
 * count for ef. A filter's labels are first tried at a few points spread over it: they begin the walk where its matches are, and where
 * they are all of its labels there is nothing left to walk to.
 * Must not know: JavaScript, what is inserted when. */
#pragma once

#include "places.h"

namespace skein {

struct WalkBounds {
  size_t limit;
  size_t ef;
  /* 0: none. */
  size_t visitsMax;
};

struct Found {
  std::vector<uint32_t> labels;
  std::vector<float> distances;
  size_t visited = 0;
  size_t rejected = 0;
  bool stopped = false;
};

class Walk {
 public:
  /* @param filter null: every live ranked label passes. What is returned is valid until the next call. */
  const Found& search(const Places& places, const Space& space, const void* query, WalkBounds bounds, const Filter* filter) {
    begin(places, space, query, filter);
    most_ = filter == nullptr ? places.answering : std::min(places.answering, filter->size());
    const double share = static_cast<double>(most_) / static_cast<double>(std::max<size_t>(1, places.count()));
    givenEf_ = std::max(bounds.ef, bounds.limit);
    ef_ = std::min(static_cast<size_t>(static_cast<double>(givenEf_) * (filter == nullptr ? 1.0 : 1.0 + share * FILTERED_EF)), most_);
    if (ef_ == 0 || bounds.limit == 0) return found_;
    const VisitedMarks marks(*graph_->visited_list_pool_);
    visited_ = marks.list->mass;
    tag_ = marks.list->curV;
    share_ = share;
    if (filter != nullptr && filter->size() <= TRIED_ALL) tryAll();
    else walk(bounds.visitsMax);
    answer(bounds.limit);
    return found_;
  }

 private:
  struct Seen {
    float distance;
    uint32_t place;
    bool answers;
  };
  struct Nearer {
    bool operator()(const Seen& a, const Seen& b) const { return a.distance < b.distance; }
  };
  struct Farther {
    bool operator()(const Seen& a, const Seen& b) const { return a.distance > b.distance; }
  };

  /* Borrowed for one search. */
  struct VisitedMarks {
    explicit VisitedMarks(hnswlib::VisitedListPool& from) : pool(from), list(from.getFreeVisitedList()) {}
    ~VisitedMarks() { pool.releaseVisitedList(list); }
    VisitedMarks(const VisitedMarks&) = delete;
    hnswlib::VisitedListPool& pool;
    hnswlib::VisitedList* list;
  };

  /* A filter of so few labels is compared one by one. */
  static constexpr size_t TRIED_ALL = 256;
  static constexpr size_t TRIED = 32;
  /* So much more of ef is looked for where all pass, less where fewer do: there more places are looked at anyway. */
  static constexpr double FILTERED_EF = 0.5;
  /* See watch(). */
  static constexpr size_t FAR_OFF_EF = 32, FAR_OFF_VISITS = 8;
  static constexpr double EXPECTED_MIN = 24, FEWER = 4;
  static constexpr size_t AHEAD = 2;

  void begin(const Places& places, const Space& space, const void* query, const Filter* filter) {
    places_ = &places;
    graph_ = places.graph.get();
    distance_ = space.toQuery();
    parameter_ = graph_->dist_func_param_;
    query_ = query;
    filter_ = filter;
    candidates_.clear();
    best_.clear();
    found_.labels.clear();
    found_.distances.clear();
    found_.visited = found_.rejected = 0;
    found_.stopped = false;
    walked_ = walkedAnswers_ = 0;
    farOff_ = false;
  }

  float distanceTo(uint32_t place) {
    found_.visited += 1;
    return distance_(query_, places_->kept(place), parameter_);
  }

  bool passes(uint32_t label) const { return filter_ == nullptr || filter_->passes(label); }

  bool mayAnswer(uint32_t place) const {
    if (places_->ownAnswers(place) && passes(places_->labels[place])) return true;
    if (!places_->hasTwins(place)) return false;
    for (const uint32_t twin : places_->twins.at(place))
      if (passes(twin)) return true;
    return false;
  }

  /* The nearest place on the level above the ground. */
  uint32_t descend() {
    uint32_t place = graph_->enterpoint_node_;
    float nearest = distanceTo(place);
    for (int level = graph_->maxlevel_; level > 0; level--) {
      for (bool changed = true; changed;) {
        changed = false;
        const hnswlib::linklistsizeint* links = graph_->get_linklist(place, level);
        const size_t size = *reinterpret_cast<const uint16_t*>(links);
        for (size_t i = 1; i <= size; i++) SKEIN_PREFETCH(places_->kept(links[i]));
        for (size_t i = 1; i <= size; i++) {
          const float distance = distanceTo(links[i]);
          if (distance >= nearest) continue;
          nearest = distance;
          place = links[i];
          changed = true;
        }
      }
    }
    return place;
  }

  /* Offers every label of the filter. */
  void tryAll() {
    for (size_t page = 0; page < filter_->pages(); page++) {
      const uint32_t* bits = filter_->page(page);
      if (bits == nullptr) continue;
      for (size_t word = 0; word < Filter::WORDS; word++)
        for (uint32_t rest = bits[word]; rest != 0; rest &= rest - 1) tryLabel(labelAt(page, word, rest));
    }
  }

  /* Offers one label of each of TRIED stretches of the filter that has any. */
  void trySome() {
    size_t used = 0;
    for (size_t page = 0; page < filter_->pages(); page++) used += filter_->page(page) != nullptr;
    const size_t stretch = std::max<size_t>(1, used * Filter::WORDS / TRIED);
    size_t before = 0, next = 0;
    for (size_t page = 0; page < filter_->pages(); page++) {
      const uint32_t* bits = filter_->page(page);
      if (bits == nullptr) continue;
      while (next < before + Filter::WORDS) {
        const size_t word = next - before;
        next += 1;
        if (bits[word] == 0) continue;
        tryLabel(labelAt(page, word, bits[word]));
        next = ((next - 1) / stretch + 1) * stretch;
      }
      before += Filter::WORDS;
    }
  }

  static uint32_t labelAt(size_t page, size_t word, uint32_t bits) {
    return static_cast<uint32_t>(page * Filter::PAGE + word * 32 + lowestBit(bits));
  }

  void tryLabel(uint32_t label) {
    const Entry entry = places_->entries.get(label);
    if (entry.answers()) offer(entry.place());
  }

  /* Looks at a place that was not looked at before, unless it was. */
  void offer(uint32_t place) {
    if (visited_[place] == tag_) return;
    visited_[place] = tag_;
    take<true>(place, distanceTo(place));
  }

  float bound() const { return best_.size() < ef_ ? std::numeric_limits<float>::infinity() : best_.front().distance; }

  template <bool CHECKED>
  void take(uint32_t place, float distance) {
    if (!(distance < bound()) && best_.size() >= ef_) {
      if (CHECKED && !mayAnswer(place)) found_.rejected += 1;
      return;
    }
    const bool answers = !CHECKED || mayAnswer(place);
    candidates_.push_back({distance, place, answers});
    std::push_heap(candidates_.begin(), candidates_.end(), Farther());
    if (!answers) {
      found_.rejected += 1;
      return;
    }
    if (best_.size() >= ef_) {
      std::pop_heap(best_.begin(), best_.end(), Nearer());
      best_.pop_back();
    }
    best_.push_back({distance, place, true});
    std::push_heap(best_.begin(), best_.end(), Nearer());
  }

  void walk(size_t visitsMax) {
    if (filter_ != nullptr) trySome();
    offer(descend());
    const bool plain = filter_ == nullptr && places_->answering == places_->count() && places_->twins.empty();
    if (plain) run<false>(visitsMax);
    else run<true>(visitsMax);
  }

  template <bool CHECKED>
  void run(size_t visitsMax) {
    while (!candidates_.empty()) {
      const Seen nearest = candidates_.front();
      if (best_.size() >= ef_ && nearest.distance > best_.front().distance) return;
      found_.stopped = visitsMax > 0 && (found_.visited >= visitsMax || (farOff_ && visitsMax < ef_ * FAR_OFF_VISITS));
      if (found_.stopped) return;
      std::pop_heap(candidates_.begin(), candidates_.end(), Farther());
      candidates_.pop_back();
      if (CHECKED && !farOff_) watch(nearest.answers);
      if (!candidates_.empty()) SKEIN_PREFETCH(graph_->get_linklist0(candidates_.front().place));
      gather(nearest.place);
      for (size_t i = 0; i < fresh_.size(); i++) {
        if (i + AHEAD < fresh_.size()) prefetch(fresh_[i + AHEAD]);
        take<CHECKED>(fresh_[i], distanceTo(fresh_[i]));
      }
    }
  }

  /* Are there far fewer answers on the way than among all places? Then they lie elsewhere, the query is a stranger to them, and as few as
   * for a query from their midst do not lead to the nearest: FAR_OFF_EF times as many are looked
   * for from here on. That takes FAR_OFF_VISITS visits for each at least: where fewer are left, the walk ends at once. */
  void watch(bool answers) {
    walked_ += 1;
    walkedAnswers_ += answers;
    const double expected = share_ * static_cast<double>(walked_);
    if (expected < EXPECTED_MIN || static_cast<double>(walkedAnswers_) * FEWER > expected) return;
    farOff_ = true;
    ef_ = std::min(givenEf_ * FAR_OFF_EF, most_);
  }

  /* Neighbours that were not looked at yet, the first of them on their way into the cache. */
  void gather(uint32_t place) {
    const hnswlib::linklistsizeint* links = graph_->get_linklist0(place);
    const size_t size = *reinterpret_cast<const uint16_t*>(links);
    fresh_.clear();
    for (size_t i = 1; i <= size; i++) {
      const uint32_t neighbour = links[i];
      if (visited_[neighbour] == tag_) continue;
      visited_[neighbour] = tag_;
      if (fresh_.size() < AHEAD) prefetch(neighbour);
      fresh_.push_back(neighbour);
    }
  }

  void prefetch(uint32_t place) const {
    const char* kept = places_->kept(place);
    SKEIN_PREFETCH(kept);
    SKEIN_PREFETCH(kept + 64);
    SKEIN_PREFETCH(kept + 128);
    SKEIN_PREFETCH(kept + 192);
  }

  /* Labels of the best places, nearest first. */
  void answer(size_t limit) {
    std::sort(best_.begin(), best_.end(), Nearer());
    for (const Seen& seen : best_) {
      if (found_.labels.size() >= limit) return;
      if (places_->ownAnswers(seen.place)) give(places_->labels[seen.place], seen.distance, limit);
      if (!places_->hasTwins(seen.place)) continue;
      for (const uint32_t twin : places_->twins.at(seen.place)) give(twin, seen.distance, limit);
    }
  }

  void give(uint32_t label, float distance, size_t limit) {
    if (found_.labels.size() >= limit || !passes(label)) return;
    found_.labels.push_back(label);
    found_.distances.push_back(distance);
  }

  const Places* places_ = nullptr;
  const Places::Graph* graph_ = nullptr;
  hnswlib::DISTFUNC<float> distance_ = nullptr;
  const void* parameter_ = nullptr;
  const void* query_ = nullptr;
  const Filter* filter_ = nullptr;
  size_t givenEf_ = 0;
  /* So many answers are looked for. */
  size_t ef_ = 0;
  /* Answers there can be at most, and their share of all places. */
  size_t most_ = 0;
  double share_ = 0;
  /* Places whose links were followed, and how many of them may answer. */
  size_t walked_ = 0, walkedAnswers_ = 0;
  bool farOff_ = false;
  hnswlib::vl_type* visited_ = nullptr;
  hnswlib::vl_type tag_ = 0;
  /* Nearest on top. */
  std::vector<Seen> candidates_;
  /* Farthest on top. */
  std::vector<Seen> best_;
  std::vector<uint32_t> fresh_;
  Found found_;
};

}  // namespace skein
