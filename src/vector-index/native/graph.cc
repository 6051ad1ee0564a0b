/* The class Graph as JavaScript sees it (native-graph.ts): checks what comes in, turns C++ exceptions into JavaScript errors.
 *
 * Nothing that is given here may end the process: numbers, lengths, ranges and states are checked before hnswlib sees them.
 * Reading and writing run in a thread of libuv; until they end, only searches and removals are let in (`busy_`).
 * Must not know: what a label means. */

#include <functional>

#include "arguments.h"
#include "sweep.h"
#include "walk.h"

namespace skein {

constexpr uint32_t VERSION = 1;
constexpr size_t DIMENSION_MAX = 65'535, M_MAX = 4'096;

class Graph : public Napi::ObjectWrap<Graph> {
 public:
  static Napi::Object Init(Napi::Env env, Napi::Object exports);
  explicit Graph(const Napi::CallbackInfo& info);

 private:
  class Work;

  void Create(const Napi::CallbackInfo& info);
  Napi::Value Read(const Napi::CallbackInfo& info);
  Napi::Value Write(const Napi::CallbackInfo& info);
  void Free(const Napi::CallbackInfo& info);
  void Resize(const Napi::CallbackInfo& info);
  Napi::Value Count(const Napi::CallbackInfo& info) { return number(info, count()); }
  Napi::Value Capacity(const Napi::CallbackInfo& info) { return number(info, capacity()); }
  Napi::Value PlaceBytes(const Napi::CallbackInfo& info);
  Napi::Value FreePlaceBytes(const Napi::CallbackInfo& info);
  Napi::Value OwnBytes(const Napi::CallbackInfo& info);

  Napi::Value Load(const Napi::CallbackInfo& info);
  Napi::Value LoadFrom(const Napi::CallbackInfo& info);
  Napi::Value HoldsLoaded(const Napi::CallbackInfo& info);
  void Insert(const Napi::CallbackInfo& info);
  void Join(const Napi::CallbackInfo& info);
  void Remove(const Napi::CallbackInfo& info);
  void Hide(const Napi::CallbackInfo& info);

  Napi::Value Search(const Napi::CallbackInfo& info);
  Napi::Value Matches(const Napi::CallbackInfo& info);
  void Scan(const Napi::CallbackInfo& info);
  Napi::Value Measure(const Napi::CallbackInfo& info);
  Napi::Value VectorOf(const Napi::CallbackInfo& info);
  Napi::Value Links(const Napi::CallbackInfo& info);

  static Napi::Value number(const Napi::CallbackInfo& info, double value) { return Napi::Number::New(info.Env(), value); }
  size_t count() const { return places_ == nullptr ? 0 : places_->count(); }
  size_t capacity() const { return places_ == nullptr ? 0 : places_->graph->max_elements_; }
  Places& changeable(Napi::Env env) const;
  const float* vectorFrom(const Napi::Value& value) const;
  const char* keptOf(Napi::Env env, uint32_t label) const;

  std::unique_ptr<Space> space_;
  std::unique_ptr<Places> places_;
  std::vector<char> loaded_;
  bool isLoaded_ = false;
  bool busy_ = false;
  Query query_;
  Walk walk_;
  Sweep sweep_;
};

/* ---- what comes in ---- */

/* @throws RangeError on another length, and on a component that is not finite */
const float* Graph::vectorFrom(const Napi::Value& value) const {
  size_t length = 0;
  const float* vector = elementsOf<float>(value, napi_float32_array, "the vector", length);
  const size_t dimension = space_->dimension();
  if (length != dimension)
    refuse(value.Env(), "a vector has " + std::to_string(length) + " components instead of " + std::to_string(dimension));
  // x · 0 is NaN for NaN and for infinity.
  float check = 0;
  for (size_t i = 0; i < length; i++) check += vector[i] * 0.0f;
  if (!(check == 0)) refuse(value.Env(), "a vector has a component that is not finite");
  return vector;
}

Places& Graph::changeable(Napi::Env env) const {
  if (busy_) throw Napi::Error::New(env, "the graph is being read or written");
  if (places_ == nullptr) throw Napi::Error::New(env, "the graph was not made");
  return *places_;
}

const char* Graph::keptOf(Napi::Env env, uint32_t label) const {
  const Entry entry = places_ == nullptr ? Entry{} : places_->entries.get(label);
  if (!entry.live()) throw Napi::Error::New(env, "label " + std::to_string(label) + " is not live");
  return places_->kept(entry.place());
}

/* ---- making, reading, writing ---- */

Graph::Graph(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Graph>(info) {
  const std::string distance = info[0].ToString(), form = info[2].ToString();
  const size_t dimension = integerFrom(info[1], "dimension", 1, DIMENSION_MAX);
  if (distance != "cosine" && distance != "dot" && distance != "euclid") refuse(info.Env(), "distance " + distance + " is not known");
  if (form != "none" && form != "float16" && form != "int8") refuse(info.Env(), "form " + form + " is not known");
  const Distance kind = distance == "dot" ? Distance::Dot : distance == "cosine" ? Distance::Cosine : Distance::Euclid;
  space_.reset(new Space(form == "none" ? Form::None : form == "int8" ? Form::Int8 : Form::Float16, kind, dimension));
  loaded_.resize(space_->get_data_size());
}

void Graph::Create(const Napi::CallbackInfo& info) {
  if (busy_) throw Napi::Error::New(info.Env(), "the graph is being read or written");
  const size_t capacity = integerFrom(info[0], "capacity", 1, PLACES_MAX);
  const size_t m = integerFrom(info[1], "m", 2, M_MAX);
  const size_t efConstruct = integerFrom(info[2], "ef_construct", 1, LABEL_MAX);
  const size_t seed = integerFrom(info[3], "seed", 0, 0xffffffffu);
  places_.reset();
  places_.reset(new Places(*space_, capacity, m, efConstruct, seed));
}

void Graph::Free(const Napi::CallbackInfo& info) {
  if (busy_) throw Napi::Error::New(info.Env(), "the graph is being read or written");
  places_.reset();
}

void Graph::Resize(const Napi::CallbackInfo& info) {
  Places& places = changeable(info.Env());
  places.resize(integerFrom(info[0], "capacity", std::max<size_t>(1, places.count()), PLACES_MAX));
}

/* Runs in a thread of libuv and holds the object until it ends: the thread works on its memory. */
class Graph::Work : public Napi::AsyncWorker {
 public:
  Work(Napi::Env env, Graph& graph, std::function<void()> execute, std::function<void()> done)
      : Napi::AsyncWorker(env), promise_(Napi::Promise::Deferred::New(env)), graph_(graph), execute_(execute), done_(done) {
    graph.busy_ = true;
    graph.Ref();
  }

  Napi::Promise start() {
    const Napi::Promise promise = promise_.Promise();
    Queue();
    return promise;
  }

  void Execute() override { execute_(); }

  void OnOK() override {
    done_();
    end();
    promise_.Resolve(Env().Undefined());
  }

  void OnError(const Napi::Error& error) override {
    end();
    promise_.Reject(error.Value());
  }

 private:
  void end() {
    graph_.busy_ = false;
    graph_.Unref();
  }

  const Napi::Promise::Deferred promise_;
  Graph& graph_;
  const std::function<void()> execute_, done_;
};

Napi::Value Graph::Read(const Napi::CallbackInfo& info) {
  if (busy_) throw Napi::Error::New(info.Env(), "the graph is being read or written");
  const std::string path = info[0].ToString();
  places_.reset();
  const auto read = std::make_shared<std::unique_ptr<Places>>();
  const auto execute = [this, path, read] { read->reset(new Places(*space_, path)); };
  return (new Work(info.Env(), *this, execute, [this, read] { places_ = std::move(*read); }))->start();
}

Napi::Value Graph::Write(const Napi::CallbackInfo& info) {
  Places& places = changeable(info.Env());
  const std::string path = info[0].ToString();
  const auto execute = [&places, path] { places.graph->saveIndex(path); };
  return (new Work(info.Env(), *this, execute, [] {}))->start();
}

/* ---- figures ---- */

/* The vector with 2·m + 1 links and the label, 1/(m − 1) upper levels of m + 1 links each, and the label's entry. */
Napi::Value Graph::PlaceBytes(const Napi::CallbackInfo& info) {
  if (places_ == nullptr) return number(info, 0);
  const Places::Graph& graph = *places_->graph;
  const double m = static_cast<double>(graph.M_);
  return number(info, static_cast<double>(graph.size_data_per_element_) + (m * 4 + 4 + 16) / (m - 1));
}

/* A lock, a level, a pointer and a visited mark. */
Napi::Value Graph::FreePlaceBytes(const Napi::CallbackInfo& info) { return number(info, places_ == nullptr ? 0 : 40 + 4 + 8 + 2); }

Napi::Value Graph::OwnBytes(const Napi::CallbackInfo& info) {
  const size_t bytes = places_ == nullptr ? 0 : places_->bytes();
  return number(info, static_cast<double>(bytes + loaded_.size() + space_->dimension() * 8));
}

Napi::Value Graph::Links(const Napi::CallbackInfo& info) {
  const IncomingLinks found = places_ == nullptr ? IncomingLinks{} : incomingLinks(*places_);
  Napi::Object links = Napi::Object::New(info.Env());
  links.Set("live", static_cast<double>(found.live));
  links.Set("orphans", static_cast<double>(found.orphans));
  links.Set("least", static_cast<double>(found.least));
  links.Set("mean", found.mean);
  return links;
}

/* ---- points in and out ---- */

/* Eight bytes at a time; each step mixes high bits down, where those of whole numbers differ. */
static uint32_t hashOf(const std::vector<char>& bytes) {
  uint64_t hash = 0;
  for (size_t at = 0; at < bytes.size(); at += 8) {
    uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, std::min<size_t>(8, bytes.size() - at));
    hash = (hash ^ word) * 0x9e3779b97f4a7c15ull;
    hash ^= hash >> 29;
  }
  return static_cast<uint32_t>(hash ^ (hash >> 32));
}

Napi::Value Graph::Load(const Napi::CallbackInfo& info) {
  isLoaded_ = false;
  const float* vector = vectorFrom(info[0]);
  space_->encode(vector, numberFrom(info[1], "factor"), loaded_.data());
  isLoaded_ = true;
  return number(info, hashOf(loaded_));
}

Napi::Value Graph::LoadFrom(const Napi::CallbackInfo& info) {
  isLoaded_ = false;
  const Napi::FunctionReference* constructor = info.Env().GetInstanceData<Napi::FunctionReference>();
  if (!info[0].IsObject() || !info[0].As<Napi::Object>().InstanceOf(constructor->Value()))
    throw Napi::TypeError::New(info.Env(), "the other is not a graph");
  const Graph& other = *Napi::ObjectWrap<Graph>::Unwrap(info[0].As<Napi::Object>());
  if (!space_->like(*other.space_)) throw Napi::TypeError::New(info.Env(), "the other graph has other parameters");
  std::memcpy(loaded_.data(), other.keptOf(info.Env(), labelFrom(info[1])), loaded_.size());
  isLoaded_ = true;
  return number(info, hashOf(loaded_));
}

Napi::Value Graph::HoldsLoaded(const Napi::CallbackInfo& info) {
  const uint32_t label = labelFrom(info[0]);
  const Entry entry = places_ == nullptr ? Entry{} : places_->entries.get(label);
  const bool same = isLoaded_ && entry.known() && std::memcmp(places_->kept(entry.place()), loaded_.data(), loaded_.size()) == 0;
  return Napi::Boolean::New(info.Env(), same);
}

void Graph::Insert(const Napi::CallbackInfo& info) {
  Places& places = changeable(info.Env());
  const uint32_t label = labelFrom(info[0]);
  if (!isLoaded_) throw Napi::Error::New(info.Env(), "nothing was loaded");
  if (places.entries.get(label).known()) throw Napi::Error::New(info.Env(), "label " + std::to_string(label) + " is inside");
  if (places.count() >= places.graph->max_elements_) throw Napi::Error::New(info.Env(), "the graph is full");
  places.insert(loaded_.data(), label, info[1].ToBoolean());
}

void Graph::Join(const Napi::CallbackInfo& info) {
  Places& places = changeable(info.Env());
  const uint32_t front = labelFrom(info[0]), label = labelFrom(info[1]);
  if (!places.entries.get(front).known()) throw Napi::Error::New(info.Env(), "label " + std::to_string(front) + " is not inside");
  if (places.entries.get(label).known()) throw Napi::Error::New(info.Env(), "label " + std::to_string(label) + " is inside");
  places.join(front, label, info[2].ToBoolean());
}

void Graph::Remove(const Napi::CallbackInfo& info) {
  const uint32_t label = labelFrom(info[0]);
  if (places_ != nullptr) places_->remove(label);
}

void Graph::Hide(const Napi::CallbackInfo& info) {
  Places& places = changeable(info.Env());
  const uint32_t label = labelFrom(info[0]);
  const Entry entry = places.entries.get(label);
  if (!entry.answers() || entry.twin()) throw Napi::Error::New(info.Env(), "label " + std::to_string(label) + " has no place to hide");
  places.hide(label);
}

Napi::Value Graph::VectorOf(const Napi::CallbackInfo& info) {
  const char* kept = keptOf(info.Env(), labelFrom(info[0]));
  Napi::Float32Array vector = Napi::Float32Array::New(info.Env(), space_->dimension());
  space_->decode(kept, vector.Data());
  return vector;
}

/* ---- looking ---- */

Napi::Value Graph::Search(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const float* vector = vectorFrom(info[0]);
  const double factor = numberFrom(info[1], "factor");
  if (!info[2].IsObject()) throw Napi::TypeError::New(env, "the bounds are not an object");
  const Napi::Object given = info[2].As<Napi::Object>();
  const WalkBounds bounds = {integerFrom(given.Get("limit"), "limit", 1, LABEL_MAX),
                             integerFrom(given.Get("ef"), "ef", 1, LABEL_MAX),
                             integerFrom(given.Get("visitsMax"), "visitsMax", 0, LABEL_MAX)};
  const GivenFilter filter(info[3]);
  static const Found nothing;
  const Found* found = &nothing;
  if (count() > 0) {
    space_->prepare(query_, vector, factor);
    found = &walk_.search(*places_, *space_, query_.data(), bounds, filter.get());
  }
  const size_t size = found->labels.size();
  Napi::Uint32Array labels = Napi::Uint32Array::New(env, size);
  Napi::Float32Array distances = Napi::Float32Array::New(env, size);
  std::copy(found->labels.begin(), found->labels.end(), labels.Data());
  std::copy(found->distances.begin(), found->distances.end(), distances.Data());
  Napi::Object hits = Napi::Object::New(env);
  hits.Set("labels", labels);
  hits.Set("distances", distances);
  hits.Set("visited", static_cast<double>(found->visited));
  hits.Set("rejected", static_cast<double>(found->rejected));
  hits.Set("stopped", found->stopped);
  return hits;
}

Napi::Value Graph::Matches(const Napi::CallbackInfo& info) {
  const GivenFilter given(info[0]);
  const size_t most = integerFrom(info[1], "most", 0, LABEL_MAX);
  const bool none = given.get() == nullptr || places_ == nullptr;
  return number(info, none ? 0 : static_cast<double>(countMatches(*places_, *given.get(), most)));
}

void Graph::Scan(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const float* vector = vectorFrom(info[0]);
  if (!info[1].IsObject() || !info[3].IsObject()) throw Napi::TypeError::New(env, "range or block are not objects");
  const Napi::Object range = info[1].As<Napi::Object>(), given = info[3].As<Napi::Object>();
  const size_t from = integerFrom(range.Get("from"), "from", 0, size_t{LABEL_MAX} + 1);
  const size_t to = integerFrom(range.Get("to"), "to", from, size_t{LABEL_MAX} + 1);
  const double most = numberFrom(range.Get("most"), "most");
  const GivenFilter filter(info[2]);
  size_t room = 0, roomOfMeasures = 0, roomOfState = 0;
  // The block is there to be filled; nothing runs until the end of this call that could take its memory away.
  Block block;
  block.labels = const_cast<uint32_t*>(elementsOf<uint32_t>(given.Get("labels"), napi_uint32_array, "labels", room));
  block.measures = const_cast<double*>(elementsOf<double>(given.Get("measures"), napi_float64_array, "measures", roomOfMeasures));
  double* state = const_cast<double*>(elementsOf<double>(given.Get("state"), napi_float64_array, "state", roomOfState));
  block.room = std::min(room, roomOfMeasures);
  if (block.room < 1 || roomOfState < 3) refuse(env, "the block has no room");
  size_t next = to;
  if (places_ != nullptr) next = sweep_.look(*places_, *space_, vector, {from, to, most}, filter.get(), block);
  state[0] = static_cast<double>(block.given);
  state[1] = static_cast<double>(block.looked);
  state[2] = static_cast<double>(next);
}

Napi::Value Graph::Measure(const Napi::CallbackInfo& info) {
  const float* vector = vectorFrom(info[0]);
  const char* kept = keptOf(info.Env(), labelFrom(info[1]));
  return number(info, space_->measureScaled(vector, kept, numberFrom(info[2], "factor")));
}

Napi::Object Graph::Init(Napi::Env env, Napi::Object exports) {
  const Napi::Function graph = DefineClass(
      env, "Graph",
      {InstanceMethod<&Graph::Create>("create"), InstanceMethod<&Graph::Read>("read"), InstanceMethod<&Graph::Write>("write"),
       InstanceMethod<&Graph::Free>("free"), InstanceMethod<&Graph::Resize>("resize"),
       InstanceAccessor<&Graph::Count>("count"), InstanceAccessor<&Graph::Capacity>("capacity"),
       InstanceAccessor<&Graph::PlaceBytes>("placeBytes"), InstanceAccessor<&Graph::FreePlaceBytes>("freePlaceBytes"),
       InstanceAccessor<&Graph::OwnBytes>("ownBytes"), InstanceMethod<&Graph::Load>("load"),
       InstanceMethod<&Graph::LoadFrom>("loadFrom"), InstanceMethod<&Graph::HoldsLoaded>("holdsLoaded"),
       InstanceMethod<&Graph::Insert>("insert"), InstanceMethod<&Graph::Join>("join"), InstanceMethod<&Graph::Remove>("remove"),
       InstanceMethod<&Graph::Hide>("hide"), InstanceMethod<&Graph::Search>("search"),
       InstanceMethod<&Graph::Matches>("matches"), InstanceMethod<&Graph::Scan>("scan"),
       InstanceMethod<&Graph::Measure>("measure"), InstanceMethod<&Graph::VectorOf>("vectorOf"),
       InstanceMethod<&Graph::Links>("links")});
  Napi::FunctionReference* constructor = new Napi::FunctionReference(Napi::Persistent(graph));
  env.SetInstanceData(constructor);
  exports.Set("Graph", graph);
  exports.Set("version", static_cast<double>(VERSION));
  return exports;
}

}  // namespace skein

static Napi::Object initialise(Napi::Env env, Napi::Object exports) { return skein::Graph::Init(env, exports); }

NODE_API_MODULE(graph, initialise)
