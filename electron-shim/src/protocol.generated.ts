// Generated from schema/ by `npm run generate`. Do not edit.

/**
 * Every type of the LoRA Sidecar protocol, version 1.
 */
export interface Protocol {
  methods: {
    /**
     * Introduce the client, choose the language of messages. Optional for scripts.
     */
    initialize: {
      params: InitializeParams;
      result: InitializeResult;
      errors: "invalid_params" | "shutting_down" | "internal_error";
    };
    /**
     * Answers at once, whatever the engine is doing.
     */
    ping: {
      params: Empty;
      result: EmptyResult;
      errors: "invalid_params" | "shutting_down" | "internal_error";
    };
    /**
     * What is loaded, running and waiting.
     */
    status: {
      params: Empty;
      result: StatusResult;
      errors: "invalid_params" | "shutting_down" | "internal_error";
    };
    /**
     * Cancel running work, flush, answer. Then `exit`.
     */
    shutdown: {
      params: Empty;
      result: null;
      errors: "invalid_params" | "shutting_down" | "internal_error";
    };
    /**
     * End the process.
     */
    exit: {
      params: Empty;
    };
    /**
     * The OpenRPC document of this version.
     */
    "rpc.discover": {
      params: Empty;
      result: {
        [k: string]: unknown;
      };
      errors: "invalid_params" | "shutting_down" | "internal_error";
    };
    /**
     * Cancel the request with that id, as in LSP.
     */
    "$/cancelRequest": {
      params: CancelRequestParams;
    };
    /**
     * Cancel a job by its job_id.
     */
    cancel: {
      params: CancelParams;
      result: CancelResult;
      errors: "invalid_params" | "shutting_down" | "internal_error";
    };
    /**
     * Models that can be loaded.
     */
    list_models: {
      params: Empty;
      result: ModelList;
      errors: "invalid_params" | "shutting_down" | "internal_error";
    };
    /**
     * Make a model resident. The former one stays when this fails.
     */
    load_model: {
      params: LoadModelParams;
      result: LoadModelResult;
      errors:
        | "model_not_found"
        | "model_corrupt"
        | "model_unsupported"
        | "vae_not_found"
        | "asset_missing"
        | "cancelled"
        | "queue_full"
        | "out_of_memory"
        | "engine_crashed"
        | "engine_missing"
        | "invalid_params"
        | "shutting_down"
        | "internal_error";
    };
    /**
     * Give the model's memory back.
     */
    unload_model: {
      params: Empty;
      result: EmptyResult;
      errors:
        | "cancelled"
        | "queue_full"
        | "out_of_memory"
        | "engine_crashed"
        | "engine_missing"
        | "invalid_params"
        | "shutting_down"
        | "internal_error";
    };
    /**
     * Memory of devices, processes, components; what a picture would need.
     */
    vram_report: {
      params: VramReportParams;
      result: VramReport;
      errors:
        "model_not_loaded" | "lora_not_found" | "lora_conflict" | "invalid_params" | "shutting_down" | "internal_error";
    };
    /**
     * Another rung of the low-memory ladder for the model that is loaded.
     */
    set_low_vram: {
      params: SetLowVramParams;
      result: LoadModelResult;
      errors:
        | "model_not_loaded"
        | "model_not_found"
        | "model_corrupt"
        | "model_unsupported"
        | "cancelled"
        | "queue_full"
        | "out_of_memory"
        | "engine_crashed"
        | "engine_missing"
        | "invalid_params"
        | "shutting_down"
        | "internal_error";
    };
    /**
     * Cards of all LoRA files in the folders.
     */
    list_loras: {
      params: ListLorasParams;
      result: LoraList;
      errors: "invalid_params" | "shutting_down" | "internal_error";
    };
    /**
     * Change the style. The former stack stays, bit for bit, when this fails.
     */
    switch_lora: {
      params: SwitchLoraParams;
      result: SwitchLoraResult;
      errors:
        | "lora_not_found"
        | "lora_incompatible"
        | "lora_unsafe"
        | "lora_suspicious"
        | "lora_corrupt"
        | "lora_without_effect"
        | "lora_conflict"
        | "cancelled"
        | "queue_full"
        | "out_of_memory"
        | "engine_crashed"
        | "engine_missing"
        | "invalid_params"
        | "shutting_down"
        | "internal_error";
    };
    /**
     * Change a strength; merged before the next step that needs it.
     */
    set_alpha: {
      params: SetAlphaParams;
      result: SetAlphaResult;
      errors: "lora_not_found" | "lora_conflict" | "invalid_params" | "shutting_down" | "internal_error";
    };
    /**
     * All about one file: card, blocks, training, safety, and whether it fits the model.
     */
    inspect_lora: {
      params: InspectLoraParams;
      result: InspectLoraResult;
      errors: "lora_not_found" | "invalid_params" | "shutting_down" | "internal_error";
    };
    /**
     * Read every byte of a file and tell what is wrong with it.
     */
    scan_lora: {
      params: ScanLoraParams;
      result: ScanLoraResult;
      errors: "lora_not_found" | "invalid_params" | "shutting_down" | "internal_error";
    };
    /**
     * Which styles of a stack do not go together, and strengths that do.
     */
    check_conflicts: {
      params: CheckConflictsParams;
      result: CheckConflictsResult;
      errors: "lora_not_found" | "invalid_params" | "shutting_down" | "internal_error";
    };
    /**
     * A prompt with a style's words worked in, duplicates removed.
     */
    merge_prompt: {
      params: MergePromptParams;
      result: MergePromptResult;
      errors: "lora_not_found" | "invalid_params" | "shutting_down" | "internal_error";
    };
    /**
     * A quick, small picture. The newest of a session wins.
     */
    preview: {
      params: PreviewParams;
      result: PreviewResult;
      errors:
        | "cancelled"
        | "queue_full"
        | "out_of_memory"
        | "engine_crashed"
        | "engine_missing"
        | "lora_not_found"
        | "lora_incompatible"
        | "lora_unsafe"
        | "lora_suspicious"
        | "lora_corrupt"
        | "lora_without_effect"
        | "lora_conflict"
        | "model_not_loaded"
        | "numerical_fault"
        | "image_unreadable"
        | "image_too_large"
        | "superseded"
        | "invalid_params"
        | "shutting_down"
        | "internal_error";
    };
    /**
     * Finished pictures, saved and entered into the history.
     */
    generate: {
      params: GenerateParams;
      result: GenerateResult;
      errors:
        | "cancelled"
        | "queue_full"
        | "out_of_memory"
        | "engine_crashed"
        | "engine_missing"
        | "lora_not_found"
        | "lora_incompatible"
        | "lora_unsafe"
        | "lora_suspicious"
        | "lora_corrupt"
        | "lora_without_effect"
        | "lora_conflict"
        | "model_not_loaded"
        | "numerical_fault"
        | "image_unreadable"
        | "image_too_large"
        | "storage_fault"
        | "invalid_params"
        | "shutting_down"
        | "internal_error";
    };
    /**
     * A better picture of the same: redrawn a little, or sharpened without a GPU.
     */
    enhance: {
      params: EnhanceParams;
      result: EnlargeResult;
      errors:
        | "cancelled"
        | "queue_full"
        | "out_of_memory"
        | "engine_crashed"
        | "engine_missing"
        | "lora_not_found"
        | "lora_incompatible"
        | "lora_unsafe"
        | "lora_suspicious"
        | "lora_corrupt"
        | "lora_without_effect"
        | "lora_conflict"
        | "model_not_loaded"
        | "numerical_fault"
        | "image_unreadable"
        | "image_too_large"
        | "model_not_found"
        | "model_corrupt"
        | "model_unsupported"
        | "asset_missing"
        | "content_blocked"
        | "storage_fault"
        | "image_tiny"
        | "image_blank"
        | "image_blurred"
        | "invalid_params"
        | "shutting_down"
        | "internal_error";
    };
    /**
     * A picture two to four times as large, by super-resolution.
     */
    upscale: {
      params: UpscaleParams;
      result: EnlargeResult;
      errors:
        | "cancelled"
        | "queue_full"
        | "out_of_memory"
        | "engine_crashed"
        | "engine_missing"
        | "model_not_found"
        | "model_corrupt"
        | "model_unsupported"
        | "asset_missing"
        | "content_blocked"
        | "storage_fault"
        | "image_unreadable"
        | "image_too_large"
        | "numerical_fault"
        | "invalid_params"
        | "shutting_down"
        | "internal_error";
    };
    /**
     * Entries, newest first.
     */
    history_list: {
      params: HistoryListParams;
      result: HistoryList;
      errors: "invalid_params" | "shutting_down" | "internal_error";
    };
    /**
     * One entry.
     */
    history_get: {
      params: HistoryIdParams;
      result: HistoryGetResult;
      errors:
        "history_not_found" | "picture_gone" | "storage_fault" | "invalid_params" | "shutting_down" | "internal_error";
    };
    /**
     * Keep an entry for good, or no longer.
     */
    history_pin: {
      params: HistoryPinParams;
      result: HistoryGetResult;
      errors:
        "history_not_found" | "picture_gone" | "storage_fault" | "invalid_params" | "shutting_down" | "internal_error";
    };
    /**
     * Delete an entry and its picture.
     */
    history_delete: {
      params: HistoryIdParams;
      result: HistoryDeleteResult;
      errors:
        "history_not_found" | "picture_gone" | "storage_fault" | "invalid_params" | "shutting_down" | "internal_error";
    };
    /**
     * Delete all entries that are not pinned.
     */
    history_clear: {
      params: HistoryClearParams;
      result: HistoryDeleteResult;
      errors: "storage_fault" | "invalid_params" | "shutting_down" | "internal_error";
    };
    /**
     * The stored picture, with model, LoRA stack and alphas put back. Nothing is computed.
     */
    history_rollback: {
      params: RollbackParams;
      result: RollbackResult;
      errors:
        | "history_not_found"
        | "picture_gone"
        | "storage_fault"
        | "model_not_found"
        | "invalid_params"
        | "shutting_down"
        | "internal_error";
    };
    /**
     * Make another like it: generate again from an entry's parameters.
     */
    repeat: {
      params: RepeatParams;
      result: GenerateResult;
      errors:
        | "cancelled"
        | "queue_full"
        | "out_of_memory"
        | "engine_crashed"
        | "engine_missing"
        | "lora_not_found"
        | "lora_incompatible"
        | "lora_unsafe"
        | "lora_suspicious"
        | "lora_corrupt"
        | "lora_without_effect"
        | "lora_conflict"
        | "model_not_loaded"
        | "numerical_fault"
        | "image_unreadable"
        | "image_too_large"
        | "history_not_found"
        | "picture_gone"
        | "storage_fault"
        | "invalid_params"
        | "shutting_down"
        | "internal_error";
    };
  };
  notifications: {
    ready: Ready;
    engine_state: EngineStateEvent;
    model_load: ModelLoadEvent;
    lora_loaded: LoraLoaded;
    loras_changed: LorasChanged;
    progress: ProgressEvent;
    thumbnail: PictureEvent;
    preview_frame: PictureEvent;
    vram: VramReport;
    history_changed: HistoryChanged;
    warning: Warned;
    log: LogEvent;
  };
  errors: {
    shutting_down: {
      code: -32002;
      message: string;
      data: {
        kind: "shutting_down";
        hint: string;
        [k: string]: unknown;
      };
    };
    invalid_request: {
      code: -32600;
      message: string;
      data: {
        kind: "invalid_request";
        hint: string;
        [k: string]: unknown;
      };
    };
    method_not_found: {
      code: -32601;
      message: string;
      data: {
        kind: "method_not_found";
        hint: string;
        [k: string]: unknown;
      };
    };
    invalid_params: {
      code: -32602;
      message: string;
      data: {
        kind: "invalid_params";
        hint: string;
        [k: string]: unknown;
      };
    };
    internal_error: {
      code: -32603;
      message: string;
      data: {
        kind: "internal_error";
        hint: string;
        [k: string]: unknown;
      };
    };
    parse_error: {
      code: -32700;
      message: string;
      data: {
        kind: "parse_error";
        hint: string;
        [k: string]: unknown;
      };
    };
    cancelled: {
      code: -32800;
      message: string;
      data: {
        kind: "cancelled";
        hint: string;
        [k: string]: unknown;
      };
    };
    superseded: {
      code: -32801;
      message: string;
      data: {
        kind: "superseded";
        hint: string;
        [k: string]: unknown;
      };
    };
    lora_not_found: {
      code: 1001;
      message: string;
      data: {
        kind: "lora_not_found";
        hint: string;
        [k: string]: unknown;
      };
    };
    lora_incompatible: {
      code: 1002;
      message: string;
      data: {
        kind: "lora_incompatible";
        hint: string;
        [k: string]: unknown;
      };
    };
    lora_unsafe: {
      code: 1003;
      message: string;
      data: {
        kind: "lora_unsafe";
        hint: string;
        [k: string]: unknown;
      };
    };
    lora_conflict: {
      code: 1004;
      message: string;
      data: {
        kind: "lora_conflict";
        hint: string;
        [k: string]: unknown;
      };
    };
    lora_corrupt: {
      code: 1005;
      message: string;
      data: {
        kind: "lora_corrupt";
        hint: string;
        [k: string]: unknown;
      };
    };
    lora_without_effect: {
      code: 1006;
      message: string;
      data: {
        kind: "lora_without_effect";
        hint: string;
        [k: string]: unknown;
      };
    };
    lora_suspicious: {
      code: 1007;
      message: string;
      data: {
        kind: "lora_suspicious";
        hint: string;
        [k: string]: unknown;
      };
    };
    model_not_found: {
      code: 1101;
      message: string;
      data: {
        kind: "model_not_found";
        hint: string;
        [k: string]: unknown;
      };
    };
    model_corrupt: {
      code: 1102;
      message: string;
      data: {
        kind: "model_corrupt";
        hint: string;
        [k: string]: unknown;
      };
    };
    model_unsupported: {
      code: 1103;
      message: string;
      data: {
        kind: "model_unsupported";
        hint: string;
        [k: string]: unknown;
      };
    };
    model_not_loaded: {
      code: 1104;
      message: string;
      data: {
        kind: "model_not_loaded";
        hint: string;
        [k: string]: unknown;
      };
    };
    vae_not_found: {
      code: 1105;
      message: string;
      data: {
        kind: "vae_not_found";
        hint: string;
        [k: string]: unknown;
      };
    };
    asset_missing: {
      code: 1106;
      message: string;
      data: {
        kind: "asset_missing";
        hint: string;
        [k: string]: unknown;
      };
    };
    out_of_memory: {
      code: 1201;
      message: string;
      data: {
        kind: "out_of_memory";
        hint: string;
        [k: string]: unknown;
      };
    };
    engine_crashed: {
      code: 1202;
      message: string;
      data: {
        kind: "engine_crashed";
        hint: string;
        [k: string]: unknown;
      };
    };
    engine_missing: {
      code: 1203;
      message: string;
      data: {
        kind: "engine_missing";
        hint: string;
        [k: string]: unknown;
      };
    };
    numerical_fault: {
      code: 1204;
      message: string;
      data: {
        kind: "numerical_fault";
        hint: string;
        [k: string]: unknown;
      };
    };
    image_unreadable: {
      code: 1301;
      message: string;
      data: {
        kind: "image_unreadable";
        hint: string;
        [k: string]: unknown;
      };
    };
    image_too_large: {
      code: 1302;
      message: string;
      data: {
        kind: "image_too_large";
        hint: string;
        [k: string]: unknown;
      };
    };
    content_blocked: {
      code: 1303;
      message: string;
      data: {
        kind: "content_blocked";
        hint: string;
        [k: string]: unknown;
      };
    };
    image_tiny: {
      code: 1304;
      message: string;
      data: {
        kind: "image_tiny";
        hint: string;
        [k: string]: unknown;
      };
    };
    image_blank: {
      code: 1305;
      message: string;
      data: {
        kind: "image_blank";
        hint: string;
        [k: string]: unknown;
      };
    };
    image_blurred: {
      code: 1306;
      message: string;
      data: {
        kind: "image_blurred";
        hint: string;
        [k: string]: unknown;
      };
    };
    history_not_found: {
      code: 1401;
      message: string;
      data: {
        kind: "history_not_found";
        hint: string;
        [k: string]: unknown;
      };
    };
    picture_gone: {
      code: 1404;
      message: string;
      data: {
        kind: "picture_gone";
        hint: string;
        [k: string]: unknown;
      };
    };
    storage_fault: {
      code: 1409;
      message: string;
      data: {
        kind: "storage_fault";
        hint: string;
        [k: string]: unknown;
      };
    };
    queue_full: {
      code: 1501;
      message: string;
      data: {
        kind: "queue_full";
        hint: string;
        [k: string]: unknown;
      };
    };
    dataset_invalid: {
      code: 1601;
      message: string;
      data: {
        kind: "dataset_invalid";
        hint: string;
        [k: string]: unknown;
      };
    };
  };
}
export interface InitializeParams {
  /**
   * for the log
   */
  client?: ClientInfo | null;
  /**
   * language of messages and hints
   */
  locale?: "en" | "zh-CN";
  /**
   * the version the client was made for
   */
  protocol_version?: number | null;
}
export interface ClientInfo {
  name: string;
  version?: string | null;
}
export interface InitializeResult {
  server: ServerInfo;
  protocol_version: number;
  capabilities: Capabilities;
  device: DeviceMemory;
  paths: Paths;
}
export interface ServerInfo {
  name: string;
  version: string;
}
export interface Capabilities {
  methods: string[];
  notifications: string[];
  samplers: string[];
  /**
   * diffusion draws; onnx enlarges, enhances and checks
   */
  engines: string[];
  limits: Limits;
}
/**
 * What is accepted; sizes in bytes and pixels.
 */
export interface Limits {
  max_message_bytes: number;
  queue: number;
  history: number;
  min_side: number;
  max_side: number;
  max_count: number;
  max_steps: number;
}
/**
 * Memory of one computing device, bytes; null where the device does not say.
 */
export interface DeviceMemory {
  name: string;
  /**
   * "cpu", "cuda", "rocm", "mps", "directml"
   */
  kind: string;
  total: number | null;
  free: number | null;
  used_by_process: number | null;
  peak: number | null;
}
/**
 * Folders in use; LoRA and model folders in the order in which names are looked up.
 */
export interface Paths {
  data: string;
  images: string;
  loras: string[];
  models: string[];
}
/**
 * No parameters.
 */
export interface Empty {}
/**
 * An empty object.
 */
export interface EmptyResult {}
export interface StatusResult {
  engine: "cold" | "starting" | "loading" | "ready" | "busy" | "crashed";
  queue: QueueReport;
  model: string | null;
  family: string | null;
  stack: StackEntry[];
  /**
   * "xformers" or "sdpa"; null: no engine yet
   */
  attention: string | null;
  lora_mode: ("merged" | "unmerged") | null;
  /**
   * measures that are on
   */
  low_vram: string[];
  versions: {
    [k: string]: string;
  };
  engine_restarts: number;
  /**
   * of front and engine
   */
  pids: {
    [k: string]: number;
  };
}
export interface QueueReport {
  /**
   * job_id
   */
  running: string | null;
  /**
   * job_ids, next first
   */
  waiting: string[];
}
/**
 * One LoRA of the stack in force.
 */
export interface StackEntry {
  name: string;
  alpha: number;
  /**
   * of the file, once it has been read
   */
  sha256?: string | null;
}
/**
 * LSP's `$/cancelRequest`.
 */
export interface CancelRequestParams {
  id: number | string;
}
export interface CancelParams {
  /**
   * from a progress notification or status
   */
  job_id: string;
}
export interface CancelResult {
  /**
   * false when the job was no longer there
   */
  cancelled: boolean;
}
export interface ModelList {
  models: ModelCard[];
  /**
   * for upscale, enhance and generate
   */
  upscalers?: UpscalerCard[];
}
/**
 * A model that can be loaded.
 */
export interface ModelCard {
  name: string;
  family: string;
  path: string;
  bytes: number;
  /**
   * the size it was trained at, pixels
   */
  width: number;
  height: number;
  /**
   * steps used when a request names none
   */
  steps: number;
  guidance_scale: number;
  license?: string | null;
  loaded?: boolean;
}
/**
 * A super-resolution network: one that comes with the sidecar, or an .onnx file of a models
 * folder.
 */
export interface UpscalerCard {
  name: string;
  path: string;
  bytes: number;
  bundled: boolean;
}
/**
 * `model`: a name in a models folder, "starter", or an absolute path.
 *
 * A model is a diffusers folder or a single .safetensors file; its name leaves the suffix out.
 */
export interface LoadModelParams {
  /**
   * a name, “starter”, or the absolute path of a folder or file
   */
  model: string;
  /**
   * another VAE: a name in the models folder or its vae/, or an absolute path; null: the model's own
   */
  vae?: string | null;
  /**
   * of the weights; auto: what suits the device
   */
  dtype?: "auto" | "float32" | "float16" | "bfloat16";
  /**
   * how much speed to give for memory
   */
  low_vram?: "auto" | "off" | "balanced" | "aggressive";
  /**
   * decode in full precision
   */
  no_half_vae?: boolean;
}
export interface LoadModelResult {
  model: string;
  family: string;
  components: Component[];
  device: string;
  dtype: string;
  /**
   * "xformers" or "sdpa"
   */
  attention: string;
  /**
   * measures that are on
   */
  low_vram: string[];
  /**
   * of the low-memory ladder: off, balanced, aggressive; what auto came to
   */
  rung?: string;
  load_ms: number;
}
/**
 * One part of the pipeline and where it lies.
 */
export interface Component {
  name: string;
  bytes: number;
  dtype: string;
  device: string;
}
export interface VramReportParams {
  /**
   * a picture, as generate takes it: foretell what it needs; the answer then comes when the engine is warm
   */
  for?: GenerateParams | null;
}
export interface GenerateParams {
  /**
   * what to draw
   */
  prompt: string;
  /**
   * what to keep out
   */
  negative_prompt?: string;
  /**
   * pixels; null: the model's own size
   */
  width?: number | null;
  /**
   * pixels; null: the model's own size
   */
  height?: number | null;
  /**
   * denoising steps; null: what suits the model
   */
  steps?: number | null;
  /**
   * how closely the prompt is followed; null: what suits the model
   */
  guidance_scale?: number | null;
  /**
   * null: what suits the model
   */
  sampler?: ("dpmpp_2m" | "dpmpp_2m_karras" | "euler" | "euler_a" | "ddim" | "unipc" | "lcm") | null;
  /**
   * null: drawn and reported
   */
  seed?: number | null;
  /**
   * a picture to start from
   */
  init_image?: ImageIn | null;
  /**
   * of the change, with init_image
   */
  strength?: number;
  /**
   * for this picture only; null: the stack in force
   */
  loras?: LoraRef[] | null;
  /**
   * a LoRA's name: its prompt template is applied, and it is on for this picture
   */
  style?: string | null;
  /**
   * of finished pictures
   */
  checks?: Checks | null;
  /**
   * use files that the safety scan doubts
   */
  allow_suspicious?: boolean;
  /**
   * lower the alphas of styles that conflict
   */
  allow_conflict?: boolean;
  /**
   * pictures; each takes the next seed
   */
  count?: number;
  /**
   * draw at a half or a quarter of the size and enlarge; 1: draw at full size; null: without a GPU, sizes far beyond the model's own are enlarged
   */
  upscale?: (1 | 2 | 4) | null;
  /**
   * as list_models has it; null: the quick one
   */
  upscaler?: string | null;
  /**
   * path, data URL, or both; the file is written in any case
   */
  delivery?: "file" | "inline" | "both";
}
/**
 * A picture sent in: a file on this machine, or a base64 data URL. Exactly one of them.
 */
export interface ImageIn {
  /**
   * Absolute path of a PNG, JPEG or WebP file.
   */
  path?: string | null;
  /**
   * data:image/…;base64,…
   */
  data_url?: string | null;
}
/**
 * One LoRA of a stack, by name.
 */
export interface LoraRef {
  /**
   * as list_loras has it
   */
  name: string;
  /**
   * Strength of a LoRA; 0 is off, 1 is as trained.
   */
  alpha?: number;
}
/**
 * What is looked for in a picture, and what a finding does: it is told, or the picture is also
 * blurred. null: as the sidecar was started.
 */
export interface Checks {
  /**
   * nudity and the like
   */
  nsfw?: ("off" | "warn" | "block") | null;
  /**
   * QR codes and bar codes
   */
  codes?: ("off" | "warn" | "block") | null;
  /**
   * writing, watermarks, web addresses
   */
  text?: ("off" | "warn" | "block") | null;
  /**
   * 0..1; what scores more is a finding
   */
  nsfw_threshold?: number | null;
}
/**
 * Devices, main memory and what each component takes. Bytes.
 */
export interface VramReport {
  /**
   * first the one that computes
   */
  devices: DeviceMemory[];
  ram_total: number;
  ram_available: number;
  /**
   * resident memory of the front
   */
  rss_front: number;
  /**
   * resident memory of the engine; null when none runs
   */
  rss_engine: number | null;
  components: Component[];
  /**
   * of the picture asked about; null too when no engine runs
   */
  forecast?: Forecast | null;
}
/**
 * What a picture will take, bytes. It fits when `peak` is not above `used` + `free`.
 */
export interface Forecast {
  /**
   * whose memory counts; cpu: main memory
   */
  device: string;
  /**
   * what the engine will have there at most
   */
  peak: number;
  /**
   * what it has there now
   */
  used: number;
  /**
   * what it could take on top of that
   */
  free: number;
  fits: boolean;
  /**
   * the rung of the low-memory ladder it would be drawn on
   */
  low_vram: "off" | "balanced" | "aggressive";
  /**
   * pictures drawn together; fewer where memory is short
   */
  at_once: number;
  /**
   * learned from pictures drawn here, of whatever size
   */
  measured: boolean;
  /**
   * where it does not fit; the nearest first
   */
  alternatives: Alternative[];
}
/**
 * A change to a request with which it would fit. Also in the `alternatives` of the error
 * `out_of_memory`.
 */
export interface Alternative {
  /**
   * low_vram: the same picture, more slowly; smaller_upscaled: drawn smaller, then enlarged to the size that was asked for; smaller
   */
  way: "low_vram" | "smaller_upscaled" | "smaller";
  /**
   * to be drawn at, pixels
   */
  width: number;
  height: number;
  count: number;
  low_vram: "off" | "balanced" | "aggressive";
  /**
   * times it is enlarged after it was drawn; 1: not at all
   */
  upscale: number;
  /**
   * bytes
   */
  peak: number;
  /**
   * the same for people
   */
  message: string;
}
export interface SetLowVramParams {
  /**
   * how much speed to give for memory
   */
  mode: "auto" | "off" | "balanced" | "aggressive";
}
/**
 * What the cards are to hold.
 */
export interface ListLorasParams {
  /**
   * send the preview pictures too, for callers that may read no files
   */
  previews?: boolean;
}
export interface LoraList {
  loras: LoraCard[];
}
/**
 * What is known about one LoRA file without loading its tensors.
 */
export interface LoraCard {
  name: string;
  title: string;
  /**
   * sd15, sd21, sdxl or starter, where known
   */
  family?: string | null;
  rank?: number | null;
  bytes: number;
  trigger_words?: string[];
  /**
   * the commonest words of its training, where its maker names no trigger words
   */
  suggested_words?: string[];
  /**
   * with {prompt} where the prompt goes; without: stands before it
   */
  prompt_template?: string | null;
  negative_prompt?: string | null;
  conflict_group?: string | null;
  /**
   * recommended strengths
   */
  alpha_range?: [number, number] | null;
  /**
   * used while it is on and no other VAE is named
   */
  vae?: string | null;
  /**
   * decode in full precision while it is on
   */
  no_half_vae?: boolean;
  /**
   * path of a preview picture
   */
  preview?: string | null;
  /**
   * that picture as a data URL, when asked for and at most 512 KiB
   */
  preview_url?: string | null;
  license?: string | null;
  warnings?: string[];
}
/**
 * One style by `name` and `alpha`, several by `loras`, none by `name: null`.
 */
export interface SwitchLoraParams {
  /**
   * as list_loras has it; null: no style
   */
  name?: string | null;
  /**
   * Strength of a LoRA; 0 is off, 1 is as trained.
   */
  alpha?: number;
  /**
   * a stack of several
   */
  loras?: LoraRef[] | null;
  /**
   * use files that the safety scan doubts
   */
  allow_suspicious?: boolean;
  /**
   * lower the alphas of styles that conflict
   */
  allow_conflict?: boolean;
}
/**
 * The receipt of a switch: what matched, what did not, how much it changes.
 */
export interface SwitchLoraResult {
  stack: StackEntry[];
  /**
   * of the loaded model; null when nothing is loaded yet
   */
  family: string | null;
  /**
   * the largest rank in the stack
   */
  rank: number | null;
  matched_keys: number;
  total_keys: number;
  /**
   * keys of the files that were not applied
   */
  unsupported: string[];
  /**
   * ‖ΔW‖/‖W‖ (Frobenius) over all touched weights
   */
  relative_delta: number;
  relative_delta_by_block: {
    [k: string]: number;
  };
  /**
   * every file was in memory already
   */
  cached: boolean;
  load_ms: number;
  merge_ms: number;
  /**
   * size of the LoRA files
   */
  bytes: number;
}
/**
 * The strength of one LoRA of the stack; `name` may be left out when there is one.
 */
export interface SetAlphaParams {
  /**
   * Strength of a LoRA; 0 is off, 1 is as trained.
   */
  alpha: number;
  /**
   * which one; null when the stack has one
   */
  name?: string | null;
  /**
   * lower the alphas of styles that conflict
   */
  allow_conflict?: boolean;
}
/**
 * The stack as it is now. The merge runs before the next step that needs it.
 */
export interface SetAlphaResult {
  stack: StackEntry[];
  /**
   * 0 while deferred; the timings of the next picture have the time it took
   */
  merge_ms: number;
  deferred: boolean;
}
export interface InspectLoraParams {
  /**
   * as list_loras has it
   */
  name: string;
}
export interface InspectLoraResult {
  card: LoraCard;
  blocks: BlockReport[];
  /**
   * tensors of each type
   */
  dtypes: {
    [k: string]: number;
  };
  training: TrainingReport;
  /**
   * the file's own, long values cut
   */
  metadata: {
    [k: string]: string;
  };
  verdict: "clean" | "notice" | "suspicious" | "unsafe" | "corrupt";
  findings: FindingReport[];
  sha256: string;
  compatibility: Compatibility;
}
/**
 * Tensors of one block of the model, as the file names it.
 */
export interface BlockReport {
  /**
   * such as "unet.down_blocks.1", "text_encoder.layers.0"
   */
  block: string;
  tensors: number;
  layers: number;
  /**
   * numbers in all of them
   */
  parameters: number;
  bytes: number;
  /**
   * ranks that occur, ascending
   */
  ranks: number[];
}
/**
 * What the trainer wrote into the file, as far as it is understood.
 */
export interface TrainingReport {
  base_model?: string | null;
  /**
   * the kind of adapter, as the trainer names it
   */
  network?: string | null;
  rank?: number | null;
  alpha?: number | null;
  resolution?: string | null;
  images?: number | null;
  steps?: number | null;
  epochs?: number | null;
  learning_rate?: number | null;
  /**
   * when it was finished, ISO 8601
   */
  trained?: string | null;
  author?: string | null;
  description?: string | null;
  /**
   * the commonest words of its captions
   */
  top_tags: TagCount[];
}
export interface TagCount {
  tag: string;
  count: number;
}
/**
 * One thing that the safety scan found.
 */
export interface FindingReport {
  /**
   * corrupt and unsafe are refused; suspicious is used with allow_suspicious
   */
  severity: "corrupt" | "unsafe" | "suspicious" | "notice";
  /**
   * stable, for programs
   */
  kind: string;
  /**
   * a phrase about the file, in the session's language
   */
  message: string;
  /**
   * tensor or metadata key; empty: the file as a whole
   */
  where: string;
  /**
   * what stands there, such as an address
   */
  detail: string;
  /**
   * bytes into the file, where that says something
   */
  offset: number | null;
}
/**
 * Whether it goes with the model in force; `compatible` is null where that cannot be told.
 */
export interface Compatibility {
  compatible: boolean | null;
  lora_family: string | null;
  model: string | null;
  model_family: string | null;
  /**
   * a plain sentence, in the session's language
   */
  reason: string;
}
/**
 * A file of the library by its name, or any file on this machine by its absolute path.
 */
export interface ScanLoraParams {
  /**
   * a name as list_loras has it, or absolute path
   */
  path: string;
}
/**
 * Every byte of the file was read; nothing in it was run or unpickled.
 */
export interface ScanLoraResult {
  path: string;
  bytes: number;
  sha256: string;
  /**
   * the gravest severity among the findings
   */
  verdict: "clean" | "notice" | "suspicious" | "unsafe" | "corrupt";
  findings: FindingReport[];
  /**
   * 0 when this file was scanned before and has not changed
   */
  scan_ms: number;
}
export interface CheckConflictsParams {
  /**
   * the stack that is thought of
   */
  loras: LoraRef[];
}
export interface CheckConflictsResult {
  conflicts: ConflictReport[];
  /**
   * the whole stack with the fusion-strength curve applied
   */
  suggested: StackEntry[];
}
/**
 * Styles of one group whose strengths add up to more than they may.
 */
export interface ConflictReport {
  group: string;
  names: string[];
  /**
   * of the absolute strengths asked for
   */
  alpha_sum: number;
  limit: number;
}
/**
 * `former_style`: whose words are taken out first, when the prompt was merged before.
 */
export interface MergePromptParams {
  prompt: string;
  negative_prompt?: string;
  /**
   * a LoRA's name; null: no style
   */
  style: string | null;
  /**
   * a LoRA's name
   */
  former_style?: string | null;
}
export interface MergePromptResult {
  prompt: string;
  negative_prompt: string;
  /**
   * words that the style added to the prompt
   */
  added: string[];
  /**
   * duplicates and words of the former style, left out
   */
  removed: string[];
}
/**
 * As generate; few steps, small, inline WebP. A newer one of the same session supersedes.
 */
export interface PreviewParams {
  /**
   * what to draw
   */
  prompt: string;
  /**
   * what to keep out
   */
  negative_prompt?: string;
  /**
   * pixels; null: the model's own size
   */
  width?: number | null;
  /**
   * pixels; null: the model's own size
   */
  height?: number | null;
  /**
   * denoising steps; null: what suits the model
   */
  steps?: number | null;
  /**
   * how closely the prompt is followed; null: what suits the model
   */
  guidance_scale?: number | null;
  /**
   * null: what suits the model
   */
  sampler?: ("dpmpp_2m" | "dpmpp_2m_karras" | "euler" | "euler_a" | "ddim" | "unipc" | "lcm") | null;
  /**
   * null: drawn and reported
   */
  seed?: number | null;
  /**
   * a picture to start from
   */
  init_image?: ImageIn | null;
  /**
   * of the change, with init_image
   */
  strength?: number;
  /**
   * for this picture only; null: the stack in force
   */
  loras?: LoraRef[] | null;
  /**
   * a LoRA's name: its prompt template is applied, and it is on for this picture
   */
  style?: string | null;
  /**
   * of finished pictures
   */
  checks?: Checks | null;
  /**
   * use files that the safety scan doubts
   */
  allow_suspicious?: boolean;
  /**
   * lower the alphas of styles that conflict
   */
  allow_conflict?: boolean;
  /**
   * one slider or one view; its newest preview wins
   */
  session?: string;
}
export interface PreviewResult {
  job_id: string;
  session: string;
  image: ImageOut;
  seed: number;
  parameters: PictureParameters;
  /**
   * came out of the cache of previews
   */
  cached: boolean;
  /**
   * null: none were asked for
   */
  checks?: CheckResult | null;
  timings: Timings;
}
/**
 * A picture sent out: a path, a data URL, or both.
 */
export interface ImageOut {
  /**
   * image/png, image/webp
   */
  mime: string;
  /**
   * pixels
   */
  width: number;
  /**
   * pixels
   */
  height: number;
  /**
   * size of the encoded picture
   */
  bytes: number;
  /**
   * absolute path, when delivered as a file
   */
  path?: string | null;
  /**
   * data:image/…;base64,…, when delivered inline
   */
  data_url?: string | null;
}
/**
 * The full recipe of one picture, with every default filled in.
 */
export interface PictureParameters {
  prompt: string;
  negative_prompt: string;
  width: number;
  height: number;
  steps: number;
  guidance_scale: number;
  /**
   * null: nothing was drawn, only enlarged
   */
  sampler: ("dpmpp_2m" | "dpmpp_2m_karras" | "euler" | "euler_a" | "ddim" | "unipc" | "lcm") | null;
  seed: number;
  model: string;
  family: string;
  vae?: string | null;
  dtype?: string;
  low_vram?: string;
  no_half_vae?: boolean;
  loras: StackEntry[];
  /**
   * whose words were merged into the prompt
   */
  style?: string | null;
  /**
   * with a style: the prompt as it was sent
   */
  own_prompt?: string | null;
  /**
   * likewise
   */
  own_negative_prompt?: string | null;
  /**
   * with an initial picture
   */
  strength?: number | null;
  init_image_sha256?: string | null;
  method?: "generate" | "enhance" | "upscale";
  /**
   * times it was enlarged after it was drawn
   */
  upscale?: number;
  /**
   * the network that enlarged it
   */
  upscaler?: string | null;
  /**
   * where it was enlarged: pixels before that
   */
  drawn_width?: number | null;
  drawn_height?: number | null;
}
/**
 * `blocked`: the picture was blurred; `message` and `hint` say why, for people.
 */
export interface CheckResult {
  /**
   * the checks that were made
   */
  checked: string[];
  findings: Finding[];
  blocked?: boolean;
  message?: string | null;
  hint?: string | null;
}
/**
 * `box`: left, top, width, height in pixels; null: the picture as a whole.
 */
export interface Finding {
  check: "nsfw" | "codes" | "text";
  kind: "nsfw" | "qr_code" | "bar_code" | "text" | "address";
  /**
   * what was asked for: warn or block
   */
  action: "off" | "warn" | "block";
  /**
   * 0..1, how sure it is
   */
  score: number;
  /**
   * what a code or a line says
   */
  text?: string;
  box?: [number, number, number, number] | null;
}
/**
 * Milliseconds of each phase; `merge` is the LoRA merge, within `encode`'s place in time.
 */
export interface Timings {
  /**
   * waiting for its turn
   */
  queue_ms?: number;
  /**
   * model and LoRA files
   */
  load_ms?: number;
  /**
   * LoRA stack into the weights
   */
  merge_ms?: number;
  /**
   * prompt
   */
  encode_ms?: number;
  /**
   * all steps
   */
  denoise_ms?: number;
  /**
   * latents to pixels
   */
  decode_ms?: number;
  /**
   * enlarging
   */
  upscale_ms?: number;
  /**
   * looking for what should not be in pictures
   */
  check_ms?: number;
  /**
   * file and history
   */
  save_ms?: number;
  /**
   * from request to answer
   */
  total_ms?: number;
}
export interface GenerateResult {
  job_id: string;
  images: GeneratedImage[];
  timings: Timings;
  /**
   * null: drawn at the size that was asked for
   */
  plan?: Plan | null;
}
export interface GeneratedImage {
  /**
   * image/png, image/webp
   */
  mime: string;
  /**
   * pixels
   */
  width: number;
  /**
   * pixels
   */
  height: number;
  /**
   * size of the encoded picture
   */
  bytes: number;
  /**
   * absolute path, when delivered as a file
   */
  path?: string | null;
  /**
   * data:image/…;base64,…, when delivered inline
   */
  data_url?: string | null;
  /**
   * for history_rollback, repeat and the like
   */
  history_id: string;
  /**
   * data URL, WebP
   */
  thumbnail: string;
  seed: number;
  parameters: PictureParameters;
  /**
   * null: none were asked for
   */
  checks?: CheckResult | null;
}
/**
 * At which size pictures were drawn, and how many times they were enlarged afterwards.
 */
export interface Plan {
  width: number;
  height: number;
  upscale: number;
  upscaler?: string | null;
  /**
   * for people
   */
  why: string;
}
/**
 * A better picture of the same thing, at its own size or enlarged.
 *
 * With diffusion it is redrawn a little (img2img), with ONNX it is sharpened by super-resolution.
 */
export interface EnhanceParams {
  image: ImageIn;
  /**
   * times each side; 1: its own size
   */
  scale?: number;
  /**
   * auto: diffusion where there is a GPU and a model, else onnx
   */
  path?: "auto" | "diffusion" | "onnx";
  /**
   * for diffusion; null: the stack in force
   */
  lora?: string | null;
  /**
   * of the LoRA; null: the usual strength
   */
  alpha?: number | null;
  /**
   * for diffusion: what it shows
   */
  prompt?: string;
  negative_prompt?: string;
  /**
   * of the redrawing
   */
  strength?: number;
  steps?: number;
  guidance_scale?: number | null;
  sampler?: "dpmpp_2m" | "dpmpp_2m_karras" | "euler" | "euler_a" | "ddim" | "unipc" | "lcm";
  /**
   * null: drawn and reported
   */
  seed?: number | null;
  /**
   * as list_models has it; null: the quick one
   */
  upscaler?: string | null;
  /**
   * also a tiny, blank or hopelessly blurred picture
   */
  anyway?: boolean;
  checks?: Checks | null;
  /**
   * use files that the safety scan doubts
   */
  allow_suspicious?: boolean;
  /**
   * path, data URL, or both
   */
  delivery?: "file" | "inline" | "both";
}
/**
 * Of upscale and enhance: one picture, the path that was taken, and why.
 */
export interface EnlargeResult {
  job_id: string;
  images: GeneratedImage[];
  timings: Timings;
  /**
   * null: drawn at the size that was asked for
   */
  plan?: Plan | null;
  path_used: "diffusion" | "onnx";
  /**
   * for people
   */
  why: string;
  /**
   * execution provider of ONNX Runtime; empty: not used
   */
  provider: string;
}
/**
 * A larger picture, turned as its EXIF says; alpha, colour profile and grey are kept.
 */
export interface UpscaleParams {
  image: ImageIn;
  /**
   * times each side
   */
  scale?: number;
  /**
   * as list_models has it; null: the quick one
   */
  model?: string | null;
  checks?: Checks | null;
  /**
   * path, data URL, or both
   */
  delivery?: "file" | "inline" | "both";
}
/**
 * Newest first.
 */
export interface HistoryListParams {
  /**
   * entries of one answer
   */
  limit?: number;
  /**
   * newer entries to skip
   */
  offset?: number;
}
export interface HistoryList {
  entries: HistoryEntry[];
  total: number;
}
export interface HistoryEntry {
  id: string;
  /**
   * ISO 8601, UTC
   */
  created: string;
  pinned: boolean;
  parameters: PictureParameters;
  mime: string;
  width: number;
  height: number;
  bytes: number;
  path: string;
  /**
   * data URL, WebP
   */
  thumbnail: string;
}
export interface HistoryIdParams {
  /**
   * history_id of a picture
   */
  id: string;
}
export interface HistoryGetResult {
  entry: HistoryEntry;
}
export interface HistoryPinParams {
  /**
   * history_id of a picture
   */
  id: string;
  pinned?: boolean;
}
export interface HistoryDeleteResult {
  deleted: number;
}
export interface HistoryClearParams {
  include_pinned?: boolean;
}
export interface RollbackParams {
  /**
   * history_id of a picture
   */
  id: string;
  /**
   * send the picture as a data URL too
   */
  inline?: boolean;
}
export interface RollbackResult {
  entry: HistoryEntry;
  image: ImageOut;
  state: RestoredState;
}
/**
 * What was put back.
 */
export interface RestoredState {
  /**
   * empty: none is loaded, and the picture needed none
   */
  model: string;
  vae: string | null;
  low_vram: string;
  loras: StackEntry[];
  /**
   * LoRAs of the entry that are gone or were replaced
   */
  missing: string[];
}
/**
 * A new `generate` from stored parameters. Without `seed` a new one is drawn.
 */
export interface RepeatParams {
  /**
   * history_id of the picture to repeat
   */
  id: string;
  prompt?: string | null;
  negative_prompt?: string | null;
  width?: number | null;
  height?: number | null;
  steps?: number | null;
  guidance_scale?: number | null;
  sampler?: ("dpmpp_2m" | "dpmpp_2m_karras" | "euler" | "euler_a" | "ddim" | "unipc" | "lcm") | null;
  seed?: number | null;
  loras?: LoraRef[] | null;
  /**
   * as in generate
   */
  style?: string | null;
  allow_suspicious?: boolean;
  allow_conflict?: boolean;
  init_image?: ImageIn | null;
  strength?: number | null;
  /**
   * as in generate
   */
  upscale?: (1 | 2 | 4) | null;
  /**
   * as in generate
   */
  upscaler?: string | null;
  checks?: Checks | null;
  count?: number;
  delivery?: "file" | "inline" | "both";
}
/**
 * The first thing on the wire, before any heavy import.
 */
export interface Ready {
  server: ServerInfo;
  protocol_version: number;
  pid: number;
}
export interface EngineStateEvent {
  state: "cold" | "starting" | "loading" | "ready" | "busy" | "crashed";
  detail?: string | null;
}
export interface ModelLoadEvent {
  model: string;
  stage: string;
  percent: number;
}
export interface LoraLoaded {
  stack: StackEntry[];
  cached: boolean;
}
/**
 * Names in the library. `changed`: another file under the same name, or another card.
 */
export interface LorasChanged {
  added: string[];
  changed: string[];
  removed: string[];
}
/**
 * `percent` never goes back; 100 only when the file is on disk.
 */
export interface ProgressEvent {
  job_id: string;
  request_id: number | string | null;
  phase: "queue" | "load" | "encode" | "denoise" | "decode" | "upscale" | "check" | "save";
  /**
   * finished steps of this phase
   */
  step: number;
  steps: number;
  /**
   * of the whole request
   */
  percent: number;
  /**
   * milliseconds to the end; null: not known yet
   */
  eta_ms: number | null;
}
/**
 * A thumbnail or a step preview.
 */
export interface PictureEvent {
  job_id: string;
  request_id: number | string | null;
  step: number;
  steps: number;
  image: ImageOut;
}
export interface HistoryChanged {
  /**
   * "added", "deleted", "cleared", "pinned"
   */
  reason: string;
  ids: string[];
  total: number;
}
export interface Warned {
  kind: string;
  message: string;
  hint: string;
}
export interface LogEvent {
  level: string;
  logger: string;
  message: string;
}
