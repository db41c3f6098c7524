import { render } from 'preact';
import { App } from './app/app';
import { startLoading } from './app/load';
import './styles/base.css';
import './styles/app.css';
import './styles/lists.css';
import './styles/detail.css';
import './styles/security.css';
import './styles/predict.css';
import './styles/graph.css';
import { registerControls } from './toolkit';

registerControls();
startLoading();
const place = document.getElementById('app') ?? document.body;
render(<App />, place);
