import { type Fingerprint, headOf, type Rule, sentence } from '../fingerprint';

/** Blocks in the stages → the ResNet of that depth. Source: torchvision `models/resnet.py`; He et al. 2015 for three stages on CIFAR. */
const DEPTHS: Record<string, string> = {
  'basic 2,2,2,2': '18',
  'basic 3,4,6,3': '34',
  'bottleneck 3,4,6,3': '50',
  'bottleneck 3,4,23,3': '101',
  'bottleneck 3,8,36,3': '152',
  'bottleneck 3,24,36,3': '200',
  'basic 3,3,3': '20',
  'basic 5,5,5': '32',
  'basic 7,7,7': '44',
  'basic 9,9,9': '56',
  'basic 18,18,18': '110',
};

const resnet: Rule = (f) => {
  // The deep stem of timm's "D" variants has three convolutions in `conv1`.
  const stem = f.shape('conv1.weight') ?? f.shape('conv1.#.weight');
  if (
    stem?.length !== 4 ||
    !f.has('layer1.#.conv1.weight', 'layer1.#.bn1.weight', 'layer2.#.conv1.weight', 'layer3.#.conv1.weight')
  )
    return undefined;
  if (!f.has('layer1.#.conv2.weight', 'layer1.#.bn2.weight')) return undefined;
  const arc = f.has('layer1.#.prelu.weight');
  const stages = stagesOf(f);
  const bottleneck = f.has('layer1.#.conv3.weight', 'layer1.#.bn3.weight');
  const wide = f.shape('layer1.#.conv2.weight');
  const inner = f.shape('layer1.#.conv1.weight')?.[0] ?? 0;
  const details = [`stages of ${stages.join(', ')} ${bottleneck ? 'bottleneck' : 'basic'} blocks`];
  const head = headOf(f, 'fc.weight', 'linear.weight', 'head.fc.weight', 'classifier.weight');
  if (arc)
    return {
      name: 'IResNet',
      evidence: sentence('layer1 to layer4 with PReLU as in face recognition (InsightFace)', ...details),
    };
  // Blocks that do more than those of a ResNet: splits (Res2Net, ResNeSt), attention.
  if (f.find(/^layer1\.#\.(convs\.#|bns\.#|conv2\.radix|conv2\.conv)/) || f.find(/^layer1\.#\.conv2\.(fc|bn0|0)/))
    return undefined;
  const depth = DEPTHS[`${bottleneck ? 'bottleneck' : 'basic'} ${stages.join(',')}`];
  const cifar = stages.length === 3 && (f.shape('layer1.#.conv1.weight')?.[0] ?? 0) > 16;
  let name = depth && !cifar ? `ResNet-${depth}` : 'ResNet';
  if (bottleneck && wide && wide[0] > wide[1] && wide[0] % wide[1] === 0) {
    const groups = wide[0] / wide[1];
    // The published ones have 32 or 64 groups; others with such names are relatives (SENet-154).
    if (groups !== 32 && groups !== 64) return undefined;
    name = `ResNeXt${depth ? `-${depth}` : ''} ${groups}x${wide[1]}d`;
    details.push(`${groups} groups of ${wide[1]} channels`);
  } else if (bottleneck && inner === 128 && depth && stages.length === 4) {
    name = `Wide ResNet-${depth}-2`;
    details.push('bottlenecks twice as wide');
  }
  const squeezed = f.any('layer1.#.se.fc1.weight', 'layer1.#.se_module.fc1.weight');
  if (squeezed) {
    name = `SE-${name}`;
    details.push('squeeze and excitation');
  }
  if (f.any('layer1.#.se.conv.weight', 'layer1.#.eca.conv.weight')) name = `ECA-${name}`;
  if (stem[2] === 3 && f.has('conv1.weight')) details.push('a 3×3 stem as for small pictures');
  return {
    name,
    evidence: sentence(
      `conv1, bn1 and layer1 to layer${stages.length} as in torchvision and timm`,
      ...details,
      ...head,
    ),
  };
};

function stagesOf(f: Fingerprint): number[] {
  return [1, 2, 3, 4].map((stage) => f.count(`layer${stage}.#.conv1.weight`)).filter((n) => n > 0);
}

/** Video ResNets, whose convolutions have three dimensions. */
const video: Rule = (f) => {
  if (
    f.shape('stem.#.weight')?.length !== 5 ||
    (!f.has('layer1.#.conv1.#.weight') && !f.has('layer1.#.conv1.#.#.weight'))
  )
    return undefined;
  const factored = f.has('layer1.#.conv1.#.#.weight');
  const mixed = !factored && f.shape('layer3.#.conv1.#.weight')?.[2] === 1;
  const name = factored ? 'R(2+1)D-18' : mixed ? 'MC3-18' : 'R3D-18';
  return {
    name,
    evidence: sentence(
      'stem and layer1 to layer4 with three-dimensional kernels as in torchvision',
      ...headOf(f, 'fc.weight'),
    ),
  };
};

const transformersResnet: Rule = (f) => {
  const root = ['resnet.', ''].find((r) =>
    f.has(`${r}embedder.embedder.convolution.weight`, `${r}encoder.stages.#.layers.#.layer.#.convolution.weight`),
  );
  if (root === undefined) return undefined;
  return {
    name: 'ResNet',
    evidence: sentence(
      'embedder and encoder.stages.N.layers.M as in transformers',
      `${f.count(`${root}encoder.stages.#.layers.#.layer.#.convolution.weight`)} stages`,
    ),
  };
};

export const RESNETS: Rule[] = [resnet, video, transformersResnet];
