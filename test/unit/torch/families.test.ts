import * as fs from 'node:fs';
import * as path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { modelOfTensors } from '../../../src/formats/torch/plain-tensors';

interface Architecture {
  package: string;
  name: string;
  tensors: Record<string, number[]>;
}

const FILE = path.join(__dirname, '../../fixtures/torch/architectures.json.gz');
const ARCHITECTURES = JSON.parse(gunzipSync(fs.readFileSync(FILE)).toString()) as Architecture[];

/** Families by the model's name in its package; what is not here must not be claimed to be anything. */
const FAMILIES: Record<string, string> = {
  // torchvision
  alexnet: 'AlexNet',
  vgg16_bn: 'VGG-16 with batch norm',
  resnet18: 'ResNet-18',
  resnet50: 'ResNet-50',
  resnext50_32x4d: 'ResNeXt-50 32x4d',
  wide_resnet50_2: 'Wide ResNet-50-2',
  densenet121: 'DenseNet-121',
  mobilenet_v2: 'MobileNetV2',
  mobilenet_v3_small: 'MobileNetV3 Small',
  efficientnet_b0: 'EfficientNet-B0',
  efficientnet_v2_s: 'EfficientNetV2-S',
  convnext_tiny: 'ConvNeXt-T',
  swin_t: 'Swin Transformer-T',
  swin_v2_t: 'Swin Transformer V2-T',
  vit_b_16: 'ViT-B/16',
  squeezenet1_1: 'SqueezeNet 1.1',
  inception_v3: 'Inception v3',
  googlenet: 'GoogLeNet',
  shufflenet_v2_x1_0: 'ShuffleNetV2',
  mnasnet1_0: 'MNASNet',
  maskrcnn_resnet50_fpn: 'Mask R-CNN',
  retinanet_resnet50_fpn: 'RetinaNet',
  ssd300_vgg16: 'SSD',
  deeplabv3_resnet50: 'DeepLabV3',
  fcn_resnet50: 'FCN',
  lraspp_mobilenet_v3_large: 'LR-ASPP',
  r3d_18: 'R3D-18',
  // timm
  vit_small_patch16_224: 'ViT-S/16',
  deit_base_distilled_patch16_224: 'DeiT (distilled)-B/16',
  beitv2_base_patch16_224: 'BEiT',
  seresnet50: 'SE-ResNet-50',
  convnext_nano: 'ConvNeXt',
  convnextv2_atto: 'ConvNeXt V2',
  swin_tiny_patch4_window7_224: 'Swin Transformer-T',
  tf_efficientnet_b1: 'EfficientNet-B1',
  mobilenetv3_large_100: 'MobileNetV3 Large',
  // transformers
  BertForMaskedLM: 'BERT',
  BertModel: 'BERT',
  DistilBertModel: 'DistilBERT',
  AlbertModel: 'ALBERT',
  ElectraForMaskedLM: 'ELECTRA',
  T5Model: 'T5',
  MT5Model: 'T5 1.1',
  BartModel: 'BART',
  GPT2LMHeadModel: 'GPT-2',
  GPTNeoModel: 'GPT-Neo',
  GPTJModel: 'GPT-J',
  GPTNeoXModel: 'GPT-NeoX',
  BloomModel: 'BLOOM',
  FalconModel: 'Falcon',
  OPTForCausalLM: 'OPT',
  PhiModel: 'Phi',
  Phi3Model: 'Phi-3',
  LlamaForCausalLM: 'Llama',
  MistralForCausalLM: 'Mistral',
  MixtralModel: 'Mixtral',
  Qwen2ForCausalLM: 'Qwen2',
  GemmaModel: 'Gemma',
  Gemma2Model: 'Gemma 2',
  MambaModel: 'Mamba',
  Mamba2Model: 'Mamba 2',
  CLIPModel: 'CLIP',
  SiglipModel: 'SigLIP',
  SamModel: 'Segment Anything',
  Wav2Vec2ForCTC: 'wav2vec 2.0',
  HubertForCTC: 'HuBERT',
  ViTModel: 'ViT-B/16',
  ViTForImageClassification: 'ViT-B/16',
  DeiTModel: 'DeiT-B/16',
  Dinov2Model: 'DINOv2-B/16',
  SwinModel: 'Swin Transformer-T',
  SegformerForSemanticSegmentation: 'SegFormer',
  WhisperModel: 'Whisper tiny',
  // diffusers
  UNet2DConditionModel: 'Conditional U-Net (diffusers)',
  AutoencoderKL: 'Autoencoder (diffusers)',
  ControlNetModel: 'ControlNet (diffusers)',
};

const NEWER = JSON.parse(
  gunzipSync(fs.readFileSync(path.join(__dirname, '../../fixtures/torch/families.json.gz'))).toString(),
) as Architecture[];

/** Families of the newer packages; what is not here must not be claimed to be anything. */
const NEWER_FAMILIES: Record<string, string> = {
  yolov8n: 'YOLOv8',
  yolov9t: 'YOLO (v8 or later)',
  yolov10n: 'YOLOv10',
  yolo11n: 'YOLO11',
  yolo12n: 'YOLO12',
  yolo26n: 'YOLO26',
  'yolo11n-seg': 'YOLO11',
  'yolov8n-cls': 'YOLO classifier',
  Unet: 'U-Net (segmentation_models_pytorch)',
  UnetPlusPlus: 'U-Net++ (segmentation_models_pytorch)',
  MAnet: 'MAnet (segmentation_models_pytorch)',
  FPN: 'FPN (segmentation_models_pytorch)',
  DeepLabV3Plus: 'DeepLabV3+ (segmentation_models_pytorch)',
  Linknet: 'LinkNet (segmentation_models_pytorch)',
  PSPNet: 'PSPNet (segmentation_models_pytorch)',
  SD3Transformer2DModel: 'Stable Diffusion 3 transformer (diffusers)',
  DiTTransformer2DModel: 'DiT (diffusers)',
  WanTransformer3DModel: 'Wan transformer (diffusers)',
  MotionAdapter: 'AnimateDiff motion modules (diffusers)',
  ViTForImageClassification: 'ViT',
  DeiTModel: 'DeiT',
  SegformerForSemanticSegmentation: 'SegFormer',
  'LoRA adapter': 'LoRA adapter',
  'DoRA adapter': 'DoRA adapter',
  'IA3 adapter': 'IA³ adapter',
  'LoHa adapter': 'LoHa adapter',
  'LoKr adapter': 'LoKr adapter',
  'AdaLoRA adapter': 'AdaLoRA adapter',
  'VeRA adapter': 'VeRA adapter',
  'LoRA whole': 'Model with LoRA adapters',
  'DoRA whole': 'Model with DoRA adapters',
  'IA3 whole': 'Model with IA³ adapters',
  'LoHa whole': 'Model with LoHa adapters',
  'LoKr whole': 'Model with LoKr adapters',
  'AdaLoRA whole': 'Model with AdaLoRA adapters',
  'VeRA whole': 'Model with VeRA adapters',
};

function familyOf(tensors: Record<string, number[]>) {
  const named = Object.entries(tensors).map(([name, shape]) => ({
    name,
    tensor: { dtype: 'float32' as const, shape, offset: 0, isParameter: false, layout: 'strided' as const },
  }));
  return modelOfTensors(named, {
    format: 'safetensors',
    title: (family) => family ?? '-',
    facts: [],
    warnings: [],
    noPrediction: '',
  }).family;
}

describe('families as their packages name their tensors', () => {
  it.each(ARCHITECTURES.map((a) => [`${a.package} ${a.name}`, a]))('%s', (_title, architecture) => {
    const family = familyOf(architecture.tensors);
    expect(family?.name).toBe(FAMILIES[architecture.name]);
    if (family) expect(family.evidence.length).toBeGreaterThan(20);
  });

  it.each(NEWER.map((a) => [`${a.package} ${a.name}`, a]))('%s', (_title, architecture) => {
    expect(familyOf(architecture.tensors)?.name).toBe(NEWER_FAMILIES[architecture.name]);
  });

  it('has every model of the table in the fixture', () => {
    const names = new Set(ARCHITECTURES.map((a) => a.name));
    expect(Object.keys(FAMILIES).filter((name) => !names.has(name))).toEqual([]);
  });

  it('finds a family below the wrapper that all names share, and says so', () => {
    const { tensors } = ARCHITECTURES.find((a) => a.name === 'resnet18') as Architecture;
    const wrapped = Object.fromEntries(Object.entries(tensors).map(([name, shape]) => [`net.encoder.${name}`, shape]));
    expect(familyOf(wrapped)).toMatchObject({ name: 'ResNet-18' });
    expect(familyOf(wrapped)?.evidence).toMatch(/^Below net\.encoder: /);
  });
});
